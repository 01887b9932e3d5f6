// JavaScript's arguments, checked: nothing behind these functions sees a length or an address that was not.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>
#include <string>

#include "udp.h"

namespace dialcast {

inline std::span<const uint8_t> Bytes(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Uint8Array");
  const auto array = value.As<Napi::TypedArray>();
  if (array.TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Uint8Array");
  }
  const auto bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.ByteLength()};
}

inline uint32_t Unsigned(const Napi::Value& value, const char* name, uint32_t most = UINT32_MAX) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= most && number == static_cast<uint32_t>(number))) {
    throw Napi::RangeError::New(value.Env(), std::string(name) + " must be an integer from 0 to " + std::to_string(most));
  }
  return static_cast<uint32_t>(number);
}

inline UdpPath Path(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "path must be an object");
  const auto object = value.As<Napi::Object>();
  const auto text = [&](const char* key) {
    const Napi::Value member = object.Get(key);
    if (!member.IsString()) throw Napi::TypeError::New(value.Env(), std::string("path.") + key + " must be a string");
    return member.As<Napi::String>().Utf8Value();
  };
  const auto port = static_cast<uint16_t>(Unsigned(object.Get("remotePort"), "path.remotePort", UINT16_MAX));
  const auto path = UdpPath::Parse(text("remoteAddress"), port, text("localAddress"));
  if (!path) throw Napi::TypeError::New(value.Env(), "path needs numeric addresses of one family");
  return *path;
}

}  // namespace dialcast
