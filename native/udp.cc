#include "udp.h"

#include <arpa/inet.h>
#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace dialcast {

std::optional<Address> Address::Parse(const std::string& text, uint16_t port) {
  Address address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    address.length = sizeof *four;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.length = sizeof *six;
    return address;
  }
  return std::nullopt;
}

std::optional<UdpPath> UdpPath::Parse(const std::string& remote, uint16_t port, const std::string& local) {
  const auto address = Address::Parse(remote, port);
  if (!address) return std::nullopt;
  UdpPath path;
  path.remote = *address;
  if (local.empty()) return path;
  const bool is_four = address->storage.ss_family == AF_INET;
  void* into = is_four ? static_cast<void*>(&path.local4) : static_cast<void*>(&path.local6);
  if (inet_pton(address->storage.ss_family, local.c_str(), into) != 1) return std::nullopt;
  path.has_local = true;
  return path;
}

void WriteControl(msghdr& message, uint8_t* control, const UdpPath& path, uint16_t segment_bytes) {
  message.msg_control = control;
  message.msg_controllen = kControlBytes;
  size_t used = 0;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (path.has_local && path.remote.storage.ss_family == AF_INET) {
    in_pktinfo info{};
    info.ipi_spec_dst = path.local4;
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    used += CMSG_SPACE(sizeof info);
  } else if (path.has_local) {
    in6_pktinfo info{};
    info.ipi6_addr = path.local6;
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    used += CMSG_SPACE(sizeof info);
  }
  if (segment_bytes > 0) {
    header = reinterpret_cast<cmsghdr*>(control + used);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof segment_bytes);
    std::memcpy(CMSG_DATA(header), &segment_bytes, sizeof segment_bytes);
    used += CMSG_SPACE(sizeof segment_bytes);
  }
  message.msg_controllen = used;
  if (used == 0) message.msg_control = nullptr;
}

bool SendDatagram(const UdpDescriptor& descriptor, const UdpPath& path, std::span<const uint8_t> datagram) {
  if (descriptor.fd < 0 || descriptor.family != path.remote.storage.ss_family) return false;
  alignas(cmsghdr) uint8_t control[kControlBytes];
  iovec vector{const_cast<uint8_t*>(datagram.data()), datagram.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr_storage*>(&path.remote.storage);
  message.msg_namelen = path.remote.length;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  WriteControl(message, control, path, 0);
  ssize_t sent;
  do {
    sent = sendmsg(descriptor.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

std::string FormatAddress(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace dialcast
