// The FanOut of src/engine/native.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "arguments.h"
#include "fan-out.h"
#include "srtp.h"
#include "udp-socket.h"

namespace dialcast {

class FanOutObject : public Napi::ObjectWrap<FanOutObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "FanOut",
        {InstanceMethod<&FanOutObject::AddFeed>("addFeed"), InstanceMethod<&FanOutObject::RemoveFeed>("removeFeed"),
         InstanceMethod<&FanOutObject::AddStream>("addStream"),
         InstanceMethod<&FanOutObject::RemoveStream>("removeStream"), InstanceMethod<&FanOutObject::SetPath>("setPath"),
         InstanceMethod<&FanOutObject::Subscribe>("subscribe"), InstanceMethod<&FanOutObject::Push>("push"),
         InstanceMethod<&FanOutObject::Retransmit>("retransmit"), InstanceMethod<&FanOutObject::Stats>("stats"),
         InstanceMethod<&FanOutObject::Totals>("totals")});
  }

  explicit FanOutObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FanOutObject>(info) {}

 private:
  static constexpr uint32_t kMaxRingPackets = 1 << 16;

  static void Check(Napi::Env env, bool found) {
    if (!found) throw Napi::RangeError::New(env, "no such feed or stream");
  }

  Napi::Value AddFeed(const Napi::CallbackInfo& info) {
    const uint32_t packets = Unsigned(info[0], "ringPackets", kMaxRingPackets);
    if (packets == 0 || (packets & (packets - 1)) != 0) {
      throw Napi::RangeError::New(info.Env(), "ringPackets must be a power of two");
    }
    return Napi::Number::New(info.Env(), fan_out_.AddFeed(packets));
  }

  void RemoveFeed(const Napi::CallbackInfo& info) {
    Check(info.Env(), fan_out_.RemoveFeed(Unsigned(info[0], "feed")));
  }

  Napi::Value AddStream(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const uint32_t id = fan_out_.AddStream(
        Unsigned(options.Get("ssrc"), "ssrc"),
        static_cast<uint8_t>(Unsigned(options.Get("payloadType"), "payloadType", 127)),
        static_cast<uint16_t>(Unsigned(options.Get("sequenceNumber"), "sequenceNumber", INT16_MAX)),
        Unsigned(options.Get("timestampOffset"), "timestampOffset"), Protector(options.Get("srtp")));
    return Napi::Number::New(info.Env(), id);
  }

  static std::unique_ptr<SrtpProtector> Protector(const Napi::Value& value) {
    if (value.IsNull()) return SrtpProtector::None();
    if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "srtp must be an object or null");
    const auto keys = value.As<Napi::Object>();
    const std::string profile = keys.Get("profile").ToString().Utf8Value();
    const auto key = Bytes(keys.Get("encryptionKey"), "srtp.encryptionKey");
    const auto salt = Bytes(keys.Get("salt"), "srtp.salt");
    auto protector = profile == "AEAD_AES_128_GCM" ? SrtpProtector::AeadAes128Gcm(key, salt)
                     : profile == "AES_CM_128_HMAC_SHA1_80"
                         ? SrtpProtector::AesCm128HmacSha1_80(
                               key, salt, Bytes(keys.Get("authenticationKey"), "srtp.authenticationKey"))
                         : nullptr;
    if (protector == nullptr) throw Napi::TypeError::New(value.Env(), "srtp has an unknown profile or a wrong length");
    return protector;
  }

  void RemoveStream(const Napi::CallbackInfo& info) {
    Check(info.Env(), fan_out_.RemoveStream(Unsigned(info[0], "stream")));
  }

  void SetPath(const Napi::CallbackInfo& info) {
    const auto* socket = UdpSocket::Unwrap(info[1].As<Napi::Object>());
    Check(info.Env(), fan_out_.SetPath(Unsigned(info[0], "stream"), socket->descriptor(), Path(info[2])));
  }

  void Subscribe(const Napi::CallbackInfo& info) {
    const uint32_t stream = Unsigned(info[0], "stream");
    Check(info.Env(), info[1].IsNull() ? fan_out_.Unsubscribe(stream)
                                       : fan_out_.Subscribe(stream, Unsigned(info[1], "feed")));
  }

  Napi::Value Push(const Napi::CallbackInfo& info) {
    const auto payloads = Bytes(info[2], "payloads");
    if (!info[3].IsTypedArray() || info[3].As<Napi::TypedArray>().TypedArrayType() != napi_uint16_array) {
      throw Napi::TypeError::New(info.Env(), "sizes must be a Uint16Array");
    }
    const auto array = info[3].As<Napi::Uint16Array>();
    const std::span<const uint16_t> sizes(array.Data(), array.ElementLength());
    size_t total = 0;
    for (const uint16_t size : sizes) {
      if (size > kMaxPayloadBytes) throw Napi::RangeError::New(info.Env(), "a payload has at most 1400 bytes");
      total += size;
    }
    if (total > payloads.size()) throw Napi::RangeError::New(info.Env(), "sizes add up to more than the payloads");
    uint64_t sent = 0;
    Check(info.Env(), fan_out_.Push(Unsigned(info[0], "feed"), Unsigned(info[1], "timestamp"), payloads, sizes,
                                    info[4].ToBoolean(), &sent));
    return Napi::Number::New(info.Env(), static_cast<double>(sent));
  }

  Napi::Value Retransmit(const Napi::CallbackInfo& info) {
    bool sent = false;
    Check(info.Env(), fan_out_.Retransmit(
                          Unsigned(info[0], "stream"),
                          static_cast<uint16_t>(Unsigned(info[1], "sequenceNumber", UINT16_MAX)), &sent));
    return Napi::Boolean::New(info.Env(), sent);
  }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    const StreamStats* stats = fan_out_.Stats(Unsigned(info[0], "stream"));
    Check(info.Env(), stats != nullptr);
    auto result = Napi::Object::New(info.Env());
    result.Set("packetsSent", static_cast<double>(stats->packets_sent));
    result.Set("octetsSent", static_cast<double>(stats->octets_sent));
    result.Set("packetsDropped", static_cast<double>(stats->packets_dropped));
    result.Set("packetsRetransmitted", static_cast<double>(stats->packets_retransmitted));
    return result;
  }

  Napi::Value Totals(const Napi::CallbackInfo& info) {
    const FanOutTotals& totals = fan_out_.totals();
    auto result = Napi::Object::New(info.Env());
    result.Set("packetsSent", static_cast<double>(totals.packets_sent));
    result.Set("octetsSent", static_cast<double>(totals.octets_sent));
    result.Set("packetsDropped", static_cast<double>(totals.packets_dropped));
    return result;
  }

  FanOut fan_out_;
};

}  // namespace dialcast
