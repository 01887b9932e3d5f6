// DTLS 1.2 as server over memory BIOs, for DTLS-SRTP (RFC 5764). Never touches a socket.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dialcast {

using Datagram = std::vector<uint8_t>;

// A self-signed certificate and the settings of every session.
class DtlsContext {
 public:
  // Null when OpenSSL fails.
  static std::shared_ptr<DtlsContext> Create();
  ~DtlsContext();

  SSL_CTX* ssl_context() const { return context_; }
  // SHA-256 over the DER certificate, upper-case hexadecimal with colons (RFC 8122 §5).
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  DtlsContext() = default;

  SSL_CTX* context_ = nullptr;
  std::string fingerprint_;
};

class DtlsSession {
 public:
  enum class State { kHandshaking, kConnected, kFailed, kClosed };

  // Null when OpenSSL fails.
  static std::unique_ptr<DtlsSession> Create(std::shared_ptr<DtlsContext> context, uint32_t mtu_bytes);
  ~DtlsSession();

  State state() const { return state_; }
  // In OpenSSL's words; empty unless the state is kFailed.
  const std::string& error() const { return error_; }

  // Each returns the datagrams to send.
  std::vector<Datagram> Receive(std::span<const uint8_t> datagram);
  std::vector<Datagram> HandleTimeout();
  std::vector<Datagram> Close();

  std::optional<double> TimeoutMs() const;
  // DER; empty before the peer showed one.
  std::vector<uint8_t> PeerCertificate() const;
  std::optional<uint16_t> SrtpProfile() const;
  std::optional<std::vector<uint8_t>> ExportKeyingMaterial(const std::string& label, size_t bytes) const;

 private:
  DtlsSession() = default;

  void Advance();
  void Fail();
  std::vector<Datagram> Drain();

  std::shared_ptr<DtlsContext> context_;
  SSL* ssl_ = nullptr;
  // Owned by ssl_.
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  State state_ = State::kHandshaking;
  std::string error_;
};

}  // namespace dialcast
