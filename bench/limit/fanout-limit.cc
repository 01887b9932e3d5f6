// What one core can send at most in this way: UDP_SEGMENT, sendmmsg and EVP AES-128-GCM with keys set beforehand, and
// nothing else. A Node add-on of its own, because Node's binary is where the product's OpenSSL is.

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <node_api.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kIvBytes = 12;
// Messages to a system call. 8 to 64 make no difference that can be measured.
constexpr size_t kBatch = 32;
constexpr int kSendBufferBytes = 8 * 1024 * 1024;

struct Receiver {
  sockaddr_in address{};
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  std::array<uint8_t, kIvBytes> iv{};
};

int sender = -1;
uint64_t packet_number = 0;
std::vector<Receiver> receivers;

struct alignas(cmsghdr) Control : std::array<uint8_t, CMSG_SPACE(sizeof(uint16_t))> {};
std::array<Control, kBatch> controls;
std::array<iovec, kBatch> vectors;
std::array<mmsghdr, kBatch> messages;

uint32_t Unsigned(napi_env env, napi_value value) {
  uint32_t number = 0;
  napi_get_value_uint32(env, value, &number);
  return number;
}

// open(receivers): binds so many sockets on loopback that nobody reads, and returns their ports.
napi_value Open(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  receivers.resize(Unsigned(env, argument));
  sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  setsockopt(sender, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  setsockopt(sender, SOL_SOCKET, SO_SNDBUFFORCE, &kSendBufferBytes, sizeof kSendBufferBytes);
  napi_value ports;
  napi_create_array_with_length(env, receivers.size(), &ports);
  for (uint32_t i = 0; i < receivers.size(); i++) {
    auto& [address, cipher, iv] = receivers[i];
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(receiver, generic, length) != 0 || getsockname(receiver, generic, &length) != 0) {
      napi_throw_error(env, nullptr, "cannot bind a receiver");
      return nullptr;
    }
    std::array<uint8_t, 16> key{};
    std::memcpy(key.data(), &i, sizeof i);
    EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), nullptr, key.data(), nullptr);
    napi_value port;
    napi_create_uint32(env, ntohs(address.sin_port), &port);
    napi_set_element(env, ports, i, port);
  }
  return ports;
}

bool Encrypt(Receiver& receiver, const uint8_t* payload, int payload_bytes, uint8_t* packet) {
  std::memcpy(receiver.iv.data(), &packet_number, sizeof packet_number);
  int bytes = 0;
  uint8_t* out = packet + kHeaderBytes;
  return EVP_EncryptInit_ex(receiver.cipher, nullptr, nullptr, nullptr, receiver.iv.data()) == 1 &&
         EVP_EncryptUpdate(receiver.cipher, nullptr, &bytes, packet, kHeaderBytes) == 1 &&
         EVP_EncryptUpdate(receiver.cipher, out, &bytes, payload, payload_bytes) == 1 &&
         EVP_EncryptFinal_ex(receiver.cipher, out + bytes, &bytes) == 1 &&
         EVP_CIPHER_CTX_ctrl(receiver.cipher, EVP_CTRL_AEAD_GET_TAG, kTagBytes, out + payload_bytes) == 1;
}

// send(payloads, payloadBytes): one frame to every receiver; returns the packets that the kernel took.
napi_value Send(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, arguments[0], nullptr, &length, &data, nullptr, nullptr);
  const auto* payloads = static_cast<const uint8_t*>(data);
  const size_t payload_bytes = Unsigned(env, arguments[1]);
  const size_t packets = length / payload_bytes;
  const auto packet_bytes = static_cast<uint16_t>(kHeaderBytes + payload_bytes + kTagBytes);
  static std::vector<uint8_t> bytes;
  bytes.resize(kBatch * packets * packet_bytes);

  uint32_t sent = 0;
  size_t filled = 0;
  for (size_t r = 0; r < receivers.size(); r++) {
    uint8_t* const at = bytes.data() + filled * packets * packet_bytes;
    for (size_t p = 0; p < packets; p++) {
      Encrypt(receivers[r], payloads + p * payload_bytes, static_cast<int>(payload_bytes), at + p * packet_bytes);
      packet_number++;
    }
    vectors[filled] = {at, packets * packet_bytes};
    msghdr& message = messages[filled].msg_hdr;
    message = {};
    message.msg_name = &receivers[r].address;
    message.msg_namelen = sizeof receivers[r].address;
    message.msg_iov = &vectors[filled];
    message.msg_iovlen = 1;
    message.msg_control = controls[filled].data();
    message.msg_controllen = controls[filled].size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof packet_bytes);
    std::memcpy(CMSG_DATA(header), &packet_bytes, sizeof packet_bytes);
    filled++;
    if (filled < kBatch && r + 1 < receivers.size()) continue;
    const int taken = sendmmsg(sender, messages.data(), static_cast<unsigned>(filled), 0);
    if (taken > 0) sent += static_cast<uint32_t>(taken * packets);
    filled = 0;
  }
  napi_value result;
  napi_create_uint32(env, sent, &result);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, Open, nullptr, &function);
  napi_set_named_property(env, exports, "open", function);
  napi_create_function(env, "send", NAPI_AUTO_LENGTH, Send, nullptr, &function);
  napi_set_named_property(env, exports, "send", function);
  return exports;
}
