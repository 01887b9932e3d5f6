#include "srtp.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstring>

namespace dialcast {
namespace {

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct MacFree {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, MacFree>;

constexpr size_t kKeyBytes = 16;
constexpr size_t kGcmSaltBytes = 12;
constexpr size_t kCmSaltBytes = 14;
constexpr size_t kSha1KeyBytes = 20;
constexpr size_t kSha1Bytes = 20;

void Xor32(uint8_t* at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] ^= static_cast<uint8_t>(value >> (24 - 8 * i));
}

void Xor48(uint8_t* at, uint64_t value) {
  for (int i = 0; i < 6; i++) at[i] ^= static_cast<uint8_t>(value >> (40 - 8 * i));
}

class Gcm final : public SrtpProtector {
 public:
  Gcm(CipherContext cipher, std::span<const uint8_t> salt) : cipher_(std::move(cipher)) {
    std::memcpy(salt_.data(), salt.data(), kGcmSaltBytes);
  }

  size_t tag_bytes() const override { return 16; }

  bool Protect(uint8_t* packet, std::span<const uint8_t> payload, uint32_t ssrc, uint64_t index) override {
    // RFC 7714 §8.1: 00 00 | SSRC | ROC | SEQ, exclusive-or the salt.
    std::array<uint8_t, kGcmSaltBytes> iv = salt_;
    Xor32(&iv[2], ssrc);
    Xor48(&iv[6], index);
    uint8_t* out = packet + kRtpHeaderBytes;
    int bytes = 0;
    return EVP_EncryptInit_ex(cipher_.get(), nullptr, nullptr, nullptr, iv.data()) == 1 &&
           EVP_EncryptUpdate(cipher_.get(), nullptr, &bytes, packet, kRtpHeaderBytes) == 1 &&
           EVP_EncryptUpdate(cipher_.get(), out, &bytes, payload.data(), static_cast<int>(payload.size())) == 1 &&
           EVP_EncryptFinal_ex(cipher_.get(), out + bytes, &bytes) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_AEAD_GET_TAG, 16, out + payload.size()) == 1;
  }

 private:
  CipherContext cipher_;
  std::array<uint8_t, kGcmSaltBytes> salt_;
};

class CounterModeHmac final : public SrtpProtector {
 public:
  CounterModeHmac(CipherContext cipher, MacContext mac, std::span<const uint8_t> salt)
      : cipher_(std::move(cipher)), mac_(std::move(mac)) {
    std::memcpy(salt_.data(), salt.data(), kCmSaltBytes);
  }

  size_t tag_bytes() const override { return 10; }

  bool Protect(uint8_t* packet, std::span<const uint8_t> payload, uint32_t ssrc, uint64_t index) override {
    // RFC 3711 §4.1.1: salt · 2^16, exclusive-or SSRC · 2^64, exclusive-or index · 2^16.
    std::array<uint8_t, 16> iv = salt_;
    Xor32(&iv[4], ssrc);
    Xor48(&iv[8], index);
    uint8_t* out = packet + kRtpHeaderBytes;
    int bytes = 0;
    if (EVP_EncryptInit_ex(cipher_.get(), nullptr, nullptr, nullptr, iv.data()) != 1 ||
        EVP_EncryptUpdate(cipher_.get(), out, &bytes, payload.data(), static_cast<int>(payload.size())) != 1) {
      return false;
    }
    // §4.2: the tag covers the packet and the rollover counter; a null key keeps the one set at creation.
    const uint32_t roc = static_cast<uint32_t>(index >> 16);
    const uint8_t roc_bytes[4] = {static_cast<uint8_t>(roc >> 24), static_cast<uint8_t>(roc >> 16),
                                  static_cast<uint8_t>(roc >> 8), static_cast<uint8_t>(roc)};
    uint8_t digest[kSha1Bytes];
    size_t digest_bytes = 0;
    if (EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) != 1 ||
        EVP_MAC_update(mac_.get(), packet, kRtpHeaderBytes + payload.size()) != 1 ||
        EVP_MAC_update(mac_.get(), roc_bytes, sizeof roc_bytes) != 1 ||
        EVP_MAC_final(mac_.get(), digest, &digest_bytes, sizeof digest) != 1) {
      return false;
    }
    std::memcpy(out + payload.size(), digest, tag_bytes());
    return true;
  }

 private:
  CipherContext cipher_;
  MacContext mac_;
  std::array<uint8_t, 16> salt_{};
};

class Plain final : public SrtpProtector {
 public:
  size_t tag_bytes() const override { return 0; }

  bool Protect(uint8_t* packet, std::span<const uint8_t> payload, uint32_t, uint64_t) override {
    std::memcpy(packet + kRtpHeaderBytes, payload.data(), payload.size());
    return true;
  }
};

CipherContext KeyedCipher(const EVP_CIPHER* cipher, std::span<const uint8_t> key) {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr || EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), nullptr) != 1) return nullptr;
  return context;
}

}  // namespace

std::unique_ptr<SrtpProtector> SrtpProtector::AeadAes128Gcm(std::span<const uint8_t> key,
                                                            std::span<const uint8_t> salt) {
  if (key.size() != kKeyBytes || salt.size() != kGcmSaltBytes) return nullptr;
  CipherContext cipher = KeyedCipher(EVP_aes_128_gcm(), key);
  if (cipher == nullptr) return nullptr;
  return std::make_unique<Gcm>(std::move(cipher), salt);
}

std::unique_ptr<SrtpProtector> SrtpProtector::AesCm128HmacSha1_80(std::span<const uint8_t> key,
                                                                  std::span<const uint8_t> salt,
                                                                  std::span<const uint8_t> authentication_key) {
  if (key.size() != kKeyBytes || salt.size() != kCmSaltBytes || authentication_key.size() != kSha1KeyBytes) {
    return nullptr;
  }
  CipherContext cipher = KeyedCipher(EVP_aes_128_ctr(), key);
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MacContext mac(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  char digest[] = "SHA1";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  if (cipher == nullptr || mac == nullptr ||
      EVP_MAC_init(mac.get(), authentication_key.data(), authentication_key.size(), parameters) != 1) {
    return nullptr;
  }
  return std::make_unique<CounterModeHmac>(std::move(cipher), std::move(mac), salt);
}

std::unique_ptr<SrtpProtector> SrtpProtector::None() { return std::make_unique<Plain>(); }

}  // namespace dialcast
