#include "dtls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>

namespace dialcast {
namespace {

// A record is at most 2^14 bytes and its overhead; no datagram of a handshake comes near.
constexpr size_t kMaxDatagramBytes = 16 * 1024 + 512;

// Browsers do not look at a self-signed certificate's dates, its fingerprint is what counts (RFC 8827 §6.5).
constexpr long kDaySeconds = 24 * 60 * 60;
constexpr long kValidSeconds = 3650 * kDaySeconds;

constexpr unsigned char kCommonName[] = "dialcast";

struct PkeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;
using Certificate = std::unique_ptr<X509, CertificateFree>;

Certificate SelfSigned(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  uint64_t serial = 0;
  if (certificate == nullptr || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return nullptr;
  X509_NAME* name = X509_get_subject_name(certificate.get());
  if (X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDaySeconds) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidSeconds) == nullptr ||
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kCommonName, -1, -1, 0) != 1 ||
      X509_set_issuer_name(certificate.get(), name) != 1 || X509_set_pubkey(certificate.get(), key) != 1 ||
      X509_sign(certificate.get(), key, EVP_sha256()) == 0) {
    return nullptr;
  }
  return certificate;
}

std::string Fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned bytes = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &bytes) != 1) return {};
  std::string text;
  for (unsigned i = 0; i < bytes; i++) {
    char hex[4];
    std::snprintf(hex, sizeof hex, i == 0 ? "%02X" : ":%02X", digest[i]);
    text += hex;
  }
  return text;
}

// Self-signed certificates cannot be verified here: the fingerprint in the SDP, compared by the caller, says who it is.
int AcceptAnyCertificate(int, X509_STORE_CTX*) { return 1; }

}  // namespace

std::shared_ptr<DtlsContext> DtlsContext::Create() {
  std::shared_ptr<DtlsContext> result(new DtlsContext);
  const Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (key == nullptr) return nullptr;
  const Certificate certificate = SelfSigned(key.get());
  if (certificate == nullptr) return nullptr;
  result->fingerprint_ = Fingerprint(certificate.get());
  SSL_CTX* context = SSL_CTX_new(DTLS_server_method());
  result->context_ = context;
  if (context == nullptr || result->fingerprint_.empty()) return nullptr;
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, AcceptAnyCertificate);
  if (SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                                       "ECDHE-ECDSA-AES256-GCM-SHA384") != 1 ||
      // Zero is success here, unlike everywhere else.
      SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") != 0 ||
      SSL_CTX_use_certificate(context, certificate.get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return nullptr;
  }
  return result;
}

DtlsContext::~DtlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<DtlsSession> DtlsSession::Create(std::shared_ptr<DtlsContext> context, uint32_t mtu_bytes) {
  std::unique_ptr<DtlsSession> session(new DtlsSession);
  session->ssl_ = SSL_new(context->ssl_context());
  session->context_ = std::move(context);
  session->in_ = BIO_new(BIO_s_dgram_mem());
  session->out_ = BIO_new(BIO_s_dgram_mem());
  if (session->ssl_ == nullptr || session->in_ == nullptr || session->out_ == nullptr) {
    BIO_free(session->in_);
    BIO_free(session->out_);
    return nullptr;
  }
  SSL_set_bio(session->ssl_, session->in_, session->out_);
  DTLS_set_link_mtu(session->ssl_, mtu_bytes);
  SSL_set_accept_state(session->ssl_);
  return session;
}

DtlsSession::~DtlsSession() { SSL_free(ssl_); }

std::vector<Datagram> DtlsSession::Receive(std::span<const uint8_t> datagram) {
  if (state_ == State::kFailed || state_ == State::kClosed) return {};
  if (datagram.empty() || datagram.size() > kMaxDatagramBytes) return {};
  ERR_clear_error();
  BIO_write(in_, datagram.data(), static_cast<int>(datagram.size()));
  Advance();
  return Drain();
}

std::vector<Datagram> DtlsSession::HandleTimeout() {
  if (state_ != State::kHandshaking) return {};
  ERR_clear_error();
  if (DTLSv1_handle_timeout(ssl_) < 0) Fail();
  return Drain();
}

std::vector<Datagram> DtlsSession::Close() {
  if (state_ == State::kConnected) {
    SSL_shutdown(ssl_);
    ERR_clear_error();
    state_ = State::kClosed;
    return Drain();
  }
  state_ = State::kClosed;
  return {};
}

std::optional<double> DtlsSession::TimeoutMs() const {
  timeval left{};
  if (state_ != State::kHandshaking || DTLSv1_get_timeout(ssl_, &left) != 1) return std::nullopt;
  return static_cast<double>(left.tv_sec) * 1000 + static_cast<double>(left.tv_usec) / 1000;
}

std::vector<uint8_t> DtlsSession::PeerCertificate() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  unsigned char* der = nullptr;
  const int bytes = i2d_X509(certificate, &der);
  if (bytes <= 0) return {};
  std::vector<uint8_t> result(der, der + bytes);
  OPENSSL_free(der);
  return result;
}

std::optional<uint16_t> DtlsSession::SrtpProfile() const {
  const SRTP_PROTECTION_PROFILE* profile =
      state_ == State::kConnected ? SSL_get_selected_srtp_profile(ssl_) : nullptr;
  if (profile == nullptr) return std::nullopt;
  return static_cast<uint16_t>(profile->id);
}

std::optional<std::vector<uint8_t>> DtlsSession::ExportKeyingMaterial(const std::string& label, size_t bytes) const {
  std::vector<uint8_t> material(bytes);
  if (state_ != State::kConnected ||
      SSL_export_keying_material(ssl_, material.data(), bytes, label.data(), label.size(), nullptr, 0, 0) != 1) {
    return std::nullopt;
  }
  return material;
}

void DtlsSession::Advance() {
  if (state_ == State::kHandshaking) {
    const int result = SSL_accept(ssl_);
    if (result == 1) {
      state_ = State::kConnected;
    } else if (const int error = SSL_get_error(ssl_, result);
               error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      return Fail();
    }
  }
  if (state_ != State::kConnected) return;
  // Nobody has anything to say over DTLS after the handshake; reading is what notices a close_notify.
  std::array<unsigned char, 2048> ignored;
  int result;
  while ((result = SSL_read(ssl_, ignored.data(), ignored.size())) > 0) {
  }
  if (SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN) state_ = State::kClosed;
  ERR_clear_error();
}

void DtlsSession::Fail() {
  char text[256] = "the handshake was broken off";
  if (const unsigned long code = ERR_peek_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  error_ = text;
  state_ = State::kFailed;
}

std::vector<Datagram> DtlsSession::Drain() {
  std::vector<Datagram> datagrams;
  std::array<uint8_t, kMaxDatagramBytes> buffer;
  int bytes;
  while ((bytes = BIO_read(out_, buffer.data(), buffer.size())) > 0) {
    datagrams.emplace_back(buffer.data(), buffer.data() + bytes);
  }
  ERR_clear_error();
  return datagrams;
}

}  // namespace dialcast
