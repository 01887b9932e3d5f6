// The DtlsContext and DtlsSession of src/engine/native.ts.
#pragma once

#include <napi.h>

#include <array>
#include <memory>

#include "arguments.h"
#include "dtls.h"

namespace dialcast {

inline Napi::Array Datagrams(Napi::Env env, const std::vector<Datagram>& datagrams) {
  auto array = Napi::Array::New(env, datagrams.size());
  for (uint32_t i = 0; i < datagrams.size(); i++) {
    array.Set(i, Napi::Buffer<uint8_t>::Copy(env, datagrams[i].data(), datagrams[i].size()));
  }
  return array;
}

class DtlsContextObject : public Napi::ObjectWrap<DtlsContextObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DtlsContext", {InstanceAccessor<&DtlsContextObject::Fingerprint>("fingerprint")});
  }

  explicit DtlsContextObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DtlsContextObject>(info) {
    context_ = DtlsContext::Create();
    if (context_ == nullptr) throw Napi::Error::New(info.Env(), "OpenSSL could not make a DTLS context");
  }

  const std::shared_ptr<DtlsContext>& context() const { return context_; }

 private:
  Napi::Value Fingerprint(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), context_->fingerprint());
  }

  std::shared_ptr<DtlsContext> context_;
};

class DtlsSessionObject : public Napi::ObjectWrap<DtlsSessionObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DtlsSession",
                       {InstanceAccessor<&DtlsSessionObject::State>("state"),
                        InstanceAccessor<&DtlsSessionObject::Error>("error"),
                        InstanceMethod<&DtlsSessionObject::Receive>("receive"),
                        InstanceMethod<&DtlsSessionObject::TimeoutMs>("timeoutMs"),
                        InstanceMethod<&DtlsSessionObject::HandleTimeout>("handleTimeout"),
                        InstanceMethod<&DtlsSessionObject::PeerCertificate>("peerCertificate"),
                        InstanceMethod<&DtlsSessionObject::SrtpProfile>("srtpProfile"),
                        InstanceMethod<&DtlsSessionObject::ExportKeyingMaterial>("exportKeyingMaterial"),
                        InstanceMethod<&DtlsSessionObject::Close>("close")});
  }

  explicit DtlsSessionObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DtlsSessionObject>(info) {
    const auto* context = DtlsContextObject::Unwrap(info[0].As<Napi::Object>());
    const uint32_t mtu_bytes = Unsigned(info[1].As<Napi::Object>().Get("mtuBytes"), "mtuBytes", UINT16_MAX);
    session_ = DtlsSession::Create(context->context(), mtu_bytes);
    if (session_ == nullptr) throw Napi::Error::New(info.Env(), "OpenSSL could not make a DTLS session");
  }

 private:
  Napi::Value State(const Napi::CallbackInfo& info) {
    static constexpr std::array kNames = {"handshaking", "connected", "failed", "closed"};
    return Napi::String::New(info.Env(), kNames[static_cast<size_t>(session_->state())]);
  }

  Napi::Value Error(const Napi::CallbackInfo& info) {
    if (session_->error().empty()) return info.Env().Null();
    return Napi::String::New(info.Env(), session_->error());
  }

  Napi::Value Receive(const Napi::CallbackInfo& info) {
    return Datagrams(info.Env(), session_->Receive(Bytes(info[0], "datagram")));
  }

  Napi::Value TimeoutMs(const Napi::CallbackInfo& info) {
    const auto timeout_ms = session_->TimeoutMs();
    return timeout_ms ? Napi::Number::New(info.Env(), *timeout_ms) : info.Env().Null();
  }

  Napi::Value HandleTimeout(const Napi::CallbackInfo& info) {
    return Datagrams(info.Env(), session_->HandleTimeout());
  }

  Napi::Value PeerCertificate(const Napi::CallbackInfo& info) {
    const auto der = session_->PeerCertificate();
    if (der.empty()) return info.Env().Null();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), der.data(), der.size());
  }

  Napi::Value SrtpProfile(const Napi::CallbackInfo& info) {
    const auto profile = session_->SrtpProfile();
    return profile ? Napi::Number::New(info.Env(), *profile) : info.Env().Null();
  }

  Napi::Value ExportKeyingMaterial(const Napi::CallbackInfo& info) {
    const auto material = session_->ExportKeyingMaterial(info[0].ToString().Utf8Value(),
                                                         Unsigned(info[1], "lengthBytes", UINT16_MAX));
    if (!material) throw Napi::Error::New(info.Env(), "keying material can be exported once connected");
    return Napi::Buffer<uint8_t>::Copy(info.Env(), material->data(), material->size());
  }

  Napi::Value Close(const Napi::CallbackInfo& info) { return Datagrams(info.Env(), session_->Close()); }

  std::unique_ptr<DtlsSession> session_;
};

}  // namespace dialcast
