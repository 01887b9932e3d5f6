// A UDP socket's descriptor and addresses, as the fan-out and the socket object share them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace dialcast {

// Shared by the socket object and the streams that send through it; `fd` is -1 once closed, so that a stream
// never writes to a descriptor that belongs to somebody else by then.
struct UdpDescriptor {
  int fd = -1;
  sa_family_t family = AF_INET;
  // Cleared when the kernel or the interface refuses UDP_SEGMENT.
  bool segmentation = true;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  static std::optional<Address> Parse(const std::string& text, uint16_t port);
};

// Where a datagram goes, and from which of our addresses it leaves (unspecified: the kernel chooses).
struct UdpPath {
  Address remote;
  bool has_local = false;
  in_addr local4{};
  in6_addr local6{};

  // Null when an address is not numeric or the two are of different families.
  static std::optional<UdpPath> Parse(const std::string& remote, uint16_t port, const std::string& local);
};

// Room for one IP_PKTINFO or IPV6_PKTINFO and one UDP_SEGMENT.
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t));

// Fills `message`'s control data; `segment_bytes` 0 leaves out UDP_SEGMENT. `control` holds kControlBytes, aligned.
void WriteControl(msghdr& message, uint8_t* control, const UdpPath& path, uint16_t segment_bytes);

// Sends one datagram without blocking; false when the kernel does not take it.
bool SendDatagram(const UdpDescriptor& descriptor, const UdpPath& path, std::span<const uint8_t> datagram);

std::string FormatAddress(const sockaddr_storage& storage);

}  // namespace dialcast
