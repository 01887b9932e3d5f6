// The add-on's face towards JavaScript, as src/engine/native.ts describes it. Arguments are checked here, so that
// nothing behind this file sees a length or an id that was not.

#include <napi.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>
#include <numeric>

#include "dtls.h"
#include "fan-out.h"
#include "srtp.h"
#include "udp.h"

namespace dialcast {
namespace {

constexpr size_t kDatagramsPerTurn = 64;
constexpr size_t kMaxReceivedBytes = 2048;

std::span<const uint8_t> Bytes(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Uint8Array");
  const auto array = value.As<Napi::TypedArray>();
  if (array.TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Uint8Array");
  }
  const auto bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.ByteLength()};
}

uint32_t Unsigned(const Napi::Value& value, const char* name, uint32_t most = UINT32_MAX) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= most && number == static_cast<uint32_t>(number))) {
    throw Napi::RangeError::New(value.Env(), std::string(name) + " must be an integer from 0 to " + std::to_string(most));
  }
  return static_cast<uint32_t>(number);
}

UdpPath Path(const Napi::Value& value) {
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

Napi::Array Datagrams(Napi::Env env, const std::vector<Datagram>& datagrams) {
  auto array = Napi::Array::New(env, datagrams.size());
  for (uint32_t i = 0; i < datagrams.size(); i++) {
    array.Set(i, Napi::Buffer<uint8_t>::Copy(env, datagrams[i].data(), datagrams[i].size()));
  }
  return array;
}

// The part of a socket that lives until libuv has let go of its handle.
struct Poll {
  uv_poll_t handle;
  napi_async_cleanup_hook_handle cleanup = nullptr;
  std::shared_ptr<UdpDescriptor> descriptor;
  class UdpSocket* owner = nullptr;

  void Close() {
    if (descriptor->fd < 0) return;
    uv_poll_stop(&handle);
    ::close(descriptor->fd);
    descriptor->fd = -1;
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* closed) {
      auto* poll = static_cast<Poll*>(closed->data);
      napi_remove_async_cleanup_hook(poll->cleanup);
      delete poll;
    });
  }
};

class UdpSocket : public Napi::ObjectWrap<UdpSocket> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "UdpSocket",
                       {InstanceAccessor<&UdpSocket::Port>("port"), InstanceMethod<&UdpSocket::Send>("send"),
                        InstanceMethod<&UdpSocket::CloseSocket>("close")});
  }

  explicit UdpSocket(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<UdpSocket>(info), async_(info.Env(), "UdpSocket") {
    const auto options = info[0].As<Napi::Object>();
    const auto port = static_cast<uint16_t>(Unsigned(options.Get("port"), "port", UINT16_MAX));
    const auto address = Address::Parse(options.Get("address").ToString().Utf8Value(), port);
    if (!address) throw Napi::TypeError::New(info.Env(), "address must be numeric");
    if (!options.Get("onDatagram").IsFunction()) throw Napi::TypeError::New(info.Env(), "onDatagram must be a function");
    on_datagram_ = Napi::Persistent(options.Get("onDatagram").As<Napi::Function>());
    descriptor_->family = address->storage.ss_family;
    descriptor_->fd = socket(descriptor_->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_->fd < 0) throw SystemError("socket");
    const int on = 1;
    const bool four = descriptor_->family == AF_INET;
    if (!four) setsockopt(descriptor_->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    setsockopt(descriptor_->fd, four ? IPPROTO_IP : IPPROTO_IPV6, four ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof on);
    SetBuffer(options.Get("sendBufferBytes"), "sendBufferBytes", SO_SNDBUFFORCE, SO_SNDBUF);
    SetBuffer(options.Get("receiveBufferBytes"), "receiveBufferBytes", SO_RCVBUFFORCE, SO_RCVBUF);
    if (bind(descriptor_->fd, reinterpret_cast<const sockaddr*>(&address->storage), address->length) != 0) {
      throw SystemError("bind");
    }
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    getsockname(descriptor_->fd, reinterpret_cast<sockaddr*>(&bound), &length);
    // sin_port and sin6_port lie at the same place.
    port_ = ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
    StartPolling(info.Env());
  }

  ~UdpSocket() override {
    if (poll_ != nullptr) {
      poll_->owner = nullptr;
      poll_->Close();
    }
  }

  const std::shared_ptr<UdpDescriptor>& descriptor() const { return descriptor_; }

 private:
  Napi::Error SystemError(const char* call) {
    const int code = errno;
    if (descriptor_->fd >= 0) ::close(descriptor_->fd);
    descriptor_->fd = -1;
    auto error = Napi::Error::New(Env(), std::string(call) + ": " + std::strerror(code));
    error.Set("code", Napi::String::New(Env(), uv_err_name(-code)));
    return error;
  }

  void SetBuffer(const Napi::Value& bytes, const char* name, int forced, int option) {
    if (bytes.IsUndefined()) return;
    const int value = static_cast<int>(Unsigned(bytes, name, INT32_MAX));
    // The forced variant passes the system's limit, but only for a privileged process.
    if (setsockopt(descriptor_->fd, SOL_SOCKET, forced, &value, sizeof value) != 0) {
      setsockopt(descriptor_->fd, SOL_SOCKET, option, &value, sizeof value);
    }
  }

  void StartPolling(Napi::Env env) {
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    auto poll = std::make_unique<Poll>();
    poll->descriptor = descriptor_;
    poll->owner = this;
    if (uv_poll_init(loop, &poll->handle, descriptor_->fd) != 0) throw SystemError("poll");
    poll->handle.data = poll.get();
    napi_add_async_cleanup_hook(
        env, [](napi_async_cleanup_hook_handle, void* data) { static_cast<Poll*>(data)->Close(); }, poll.get(),
        &poll->cleanup);
    uv_poll_start(&poll->handle, UV_READABLE, [](uv_poll_t* handle, int status, int) {
      auto* readable = static_cast<Poll*>(handle->data);
      if (status == 0 && readable->owner != nullptr) readable->owner->Receive();
    });
    poll_ = poll.release();
    // Open sockets are kept alive by the event loop, not by who happens to refer to them.
    Ref();
  }

  void Receive() {
    // One thread reads at a time, and what was read is copied before the next turn.
    static thread_local std::array<std::array<uint8_t, kMaxReceivedBytes>, kDatagramsPerTurn> buffers;
    struct alignas(cmsghdr) Control : std::array<uint8_t, kControlBytes> {};
    std::array<Control, kDatagramsPerTurn> controls;
    std::array<sockaddr_storage, kDatagramsPerTurn> sources;
    std::array<iovec, kDatagramsPerTurn> vectors;
    std::array<mmsghdr, kDatagramsPerTurn> messages{};
    for (size_t i = 0; i < kDatagramsPerTurn; i++) {
      vectors[i] = {buffers[i].data(), buffers[i].size()};
      msghdr& message = messages[i].msg_hdr;
      message.msg_name = &sources[i];
      message.msg_namelen = sizeof sources[i];
      message.msg_iov = &vectors[i];
      message.msg_iovlen = 1;
      message.msg_control = controls[i].data();
      message.msg_controllen = controls[i].size();
    }
    const int count = recvmmsg(descriptor_->fd, messages.data(), kDatagramsPerTurn, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count && descriptor_->fd >= 0; i++) {
      if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
      Deliver({buffers[i].data(), messages[i].msg_len}, sources[i], messages[i].msg_hdr);
    }
  }

  void Deliver(std::span<const uint8_t> datagram, const sockaddr_storage& source, msghdr& message) {
    const Napi::Env env = Env();
    const Napi::HandleScope scope(env);
    try {
      auto path = Napi::Object::New(env);
      path.Set("remoteAddress", FormatAddress(source));
      path.Set("remotePort", ntohs(reinterpret_cast<const sockaddr_in&>(source).sin_port));
      path.Set("localAddress", LocalAddress(message));
      on_datagram_.MakeCallback(
          Value(), {Napi::Buffer<uint8_t>::Copy(env, datagram.data(), datagram.size()), path}, async_);
    } catch (const Napi::Error& error) {
      napi_fatal_exception(env, error.Value());
    }
  }

  static std::string LocalAddress(msghdr& message) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      sockaddr_storage local{};
      if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
        local.ss_family = AF_INET;
        in_pktinfo info;
        std::memcpy(&info, CMSG_DATA(header), sizeof info);
        reinterpret_cast<sockaddr_in&>(local).sin_addr = info.ipi_addr;
        return FormatAddress(local);
      }
      if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
        local.ss_family = AF_INET6;
        in6_pktinfo info;
        std::memcpy(&info, CMSG_DATA(header), sizeof info);
        reinterpret_cast<sockaddr_in6&>(local).sin6_addr = info.ipi6_addr;
        return FormatAddress(local);
      }
    }
    return "";
  }

  Napi::Value Port(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), port_); }

  Napi::Value Send(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), SendDatagram(*descriptor_, Path(info[1]), Bytes(info[0], "datagram")));
  }

  void CloseSocket(const Napi::CallbackInfo&) {
    if (poll_ == nullptr) return;
    poll_->owner = nullptr;
    poll_->Close();
    poll_ = nullptr;
    Unref();
  }

  Napi::AsyncContext async_;
  Napi::FunctionReference on_datagram_;
  std::shared_ptr<UdpDescriptor> descriptor_ = std::make_shared<UdpDescriptor>();
  Poll* poll_ = nullptr;
  uint16_t port_ = 0;
};

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

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("UdpSocket", UdpSocket::Define(env));
  exports.Set("DtlsContext", DtlsContextObject::Define(env));
  exports.Set("DtlsSession", DtlsSessionObject::Define(env));
  exports.Set("FanOut", FanOutObject::Define(env));
  return exports;
}

NODE_API_MODULE(dialcast, Init)

}  // namespace
}  // namespace dialcast
