// SRTP protection of outgoing packets: AEAD_AES_128_GCM (RFC 7714), AES_CM_128_HMAC_SHA1_80 (RFC 3711), or none.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dialcast {

constexpr size_t kRtpHeaderBytes = 12;
constexpr size_t kMaxTagBytes = 16;

class SrtpProtector {
 public:
  virtual ~SrtpProtector() = default;

  virtual size_t tag_bytes() const = 0;

  // `packet` starts with the RTP header already in place; writes the protected payload and the tag behind it.
  // `index` is the 48-bit packet index of RFC 3711 §3.3.1. False when OpenSSL fails.
  virtual bool Protect(uint8_t* packet, std::span<const uint8_t> payload, uint32_t ssrc, uint64_t index) = 0;

  // Each returns null when a length is wrong or OpenSSL fails.
  static std::unique_ptr<SrtpProtector> AeadAes128Gcm(std::span<const uint8_t> key, std::span<const uint8_t> salt);
  static std::unique_ptr<SrtpProtector> AesCm128HmacSha1_80(std::span<const uint8_t> key,
                                                            std::span<const uint8_t> salt,
                                                            std::span<const uint8_t> authentication_key);
  static std::unique_ptr<SrtpProtector> None();
};

}  // namespace dialcast
