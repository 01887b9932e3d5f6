// The hot loop: one frame in, every viewer's packets out, without allocation and without JavaScript.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "srtp.h"
#include "udp.h"

namespace dialcast {

constexpr size_t kMaxPayloadBytes = 1400;

struct FanOutTotals {
  uint64_t packets_sent = 0;
  uint64_t octets_sent = 0;
  uint64_t packets_dropped = 0;
};

struct StreamStats {
  uint64_t packets_sent = 0;
  uint64_t octets_sent = 0;
  uint64_t packets_dropped = 0;
  uint64_t packets_retransmitted = 0;
};

// One rendition's packets in a ring, and the streams that get them. Packet n lies in slot n modulo the ring's size.
class Feed;
// One viewer's RTP stream.
class Stream;

class FanOut {
 public:
  FanOut();
  ~FanOut();

  uint32_t AddFeed(uint32_t ring_packets);
  bool RemoveFeed(uint32_t feed);

  uint32_t AddStream(uint32_t ssrc, uint8_t payload_type, uint16_t sequence_number, uint32_t timestamp_offset,
                     std::unique_ptr<SrtpProtector> protector);
  bool RemoveStream(uint32_t stream);

  // The rest answer false (or null) when an id names nothing.
  bool SetPath(uint32_t stream, std::shared_ptr<UdpDescriptor> descriptor, const UdpPath& path);
  bool Subscribe(uint32_t stream, uint32_t feed);
  bool Unsubscribe(uint32_t stream);
  // `sizes` add up to the payloads' length, each at most kMaxPayloadBytes: the caller has checked.
  bool Push(uint32_t feed, uint32_t timestamp, std::span<const uint8_t> payloads, std::span<const uint16_t> sizes,
            bool marker, uint64_t* sent);
  bool Retransmit(uint32_t stream, uint16_t sequence_number, bool* sent);
  const StreamStats* Stats(uint32_t stream) const;
  const FanOutTotals& totals() const { return totals_; }

 private:
  struct Run;
  class Batch;

  void PushPart(Feed& feed, uint32_t timestamp, std::span<const uint8_t> payloads, std::span<const uint16_t> sizes,
                bool marker);
  Stream* FindStream(uint32_t id) const;
  Feed* FindFeed(uint32_t id) const;
  void Detach(Stream& stream);

  std::unordered_map<uint32_t, std::unique_ptr<Feed>> feeds_;
  std::unordered_map<uint32_t, std::unique_ptr<Stream>> streams_;
  std::vector<Run> runs_;
  std::unique_ptr<Batch> batch_;
  // Never used twice, so an id that outlived its object names nothing.
  uint32_t next_id_ = 1;
  FanOutTotals totals_;
};

}  // namespace dialcast
