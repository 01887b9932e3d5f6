// The UdpSocket of src/engine/native.ts: a socket on libuv's event loop.
#pragma once

#include <napi.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "arguments.h"
#include "udp.h"

namespace dialcast {

constexpr size_t kDatagramsPerTurn = 64;
constexpr size_t kMaxReceivedBytes = 2048;

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

}  // namespace dialcast
