// The add-on's face towards JavaScript, as src/engine/native.ts describes it.

#include <napi.h>

#include "dtls-objects.h"
#include "fan-out-object.h"
#include "udp-socket.h"

namespace dialcast {
namespace {

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
