#include "fan-out.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

namespace dialcast {
namespace {

// The kernel's UDP_MAX_SEGMENTS of old, and what fits one IPv4 datagram before it is segmented.
constexpr size_t kMaxSegments = 64;
constexpr size_t kMaxMessageBytes = 65'000;

// A batch stays in the cache between being encrypted and being copied by the kernel.
constexpr size_t kBatchMessages = 64;
constexpr size_t kBatchBytes = 256 * 1024;

struct Slot {
  uint32_t timestamp;
  uint16_t bytes;
  bool marker;
  std::array<uint8_t, kMaxPayloadBytes> payload;

  std::span<const uint8_t> data() const { return {payload.data(), bytes}; }
};

void Store16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

void Store32(uint8_t* at, uint32_t value) {
  Store16(at, static_cast<uint16_t>(value >> 16));
  Store16(at + 2, static_cast<uint16_t>(value));
}

}  // namespace

class Feed {
 public:
  explicit Feed(uint32_t ring_packets) : slots(ring_packets) {}

  Slot& slot(uint64_t packet) { return slots[packet & (slots.size() - 1)]; }
  bool holds(uint64_t packet) const { return packet < next && next - packet <= slots.size(); }

  std::vector<Slot> slots;
  // Number of the packet to come.
  uint64_t next = 0;
  std::vector<Stream*> subscribers;
};

class Stream {
 public:
  uint32_t ssrc;
  uint8_t payload_type;
  uint32_t timestamp_offset;
  std::unique_ptr<SrtpProtector> protector;
  // 48-bit packet index (rollover counter and sequence number) of the packet to come.
  uint64_t next_index;

  std::shared_ptr<UdpDescriptor> descriptor;
  UdpPath path;

  Feed* feed = nullptr;
  size_t position = 0;
  // Index of the feed's packet n is n + delta. Both wrap modulo 2^64 together.
  uint64_t delta = 0;
  uint64_t first_index = 0;
  StreamStats stats;

  size_t packet_bytes(const Slot& slot) const { return kRtpHeaderBytes + slot.bytes + protector->tag_bytes(); }

  // RFC 3550 §5.1, without CSRC or extension.
  bool Write(const Slot& slot, uint64_t index, uint8_t* out) {
    out[0] = 0x80;
    out[1] = static_cast<uint8_t>(payload_type | (slot.marker ? 0x80 : 0));
    Store16(out + 2, static_cast<uint16_t>(index));
    Store32(out + 4, slot.timestamp + timestamp_offset);
    Store32(out + 8, ssrc);
    return protector->Protect(out, slot.data(), ssrc, index);
  }
};

// Packets of a frame that go out as one message: all of one size, but that the last may be shorter.
struct FanOut::Run {
  uint64_t first;
  size_t count;
};

// Messages to one socket that are handed to the kernel together.
class FanOut::Batch {
 public:
  explicit Batch(FanOutTotals& totals) : totals_(totals), bytes_(kBatchBytes) {}

  // Room for a message of this size on this socket, after sending what is in the way.
  uint8_t* Reserve(UdpDescriptor& descriptor, size_t bytes) {
    if (&descriptor != descriptor_ || count_ == kBatchMessages || used_ + bytes > bytes_.size()) Flush();
    descriptor_ = &descriptor;
    return bytes_.data() + used_;
  }

  // Adds the message that was written to the reserved place.
  void Add(Stream& stream, size_t bytes, size_t segment_bytes, size_t packets, size_t payload_octets) {
    Entry& entry = entries_[count_];
    entry = {&stream, packets, payload_octets, segment_bytes};
    vectors_[count_] = {bytes_.data() + used_, bytes};
    msghdr& message = messages_[count_].msg_hdr;
    message = {};
    message.msg_name = &stream.path.remote.storage;
    message.msg_namelen = stream.path.remote.length;
    message.msg_iov = &vectors_[count_];
    message.msg_iovlen = 1;
    WriteControl(message, controls_[count_].data(), stream.path,
                 packets > 1 ? static_cast<uint16_t>(segment_bytes) : uint16_t{0});
    used_ += bytes;
    count_++;
  }

  void Flush() {
    size_t done = 0;
    while (done < count_) {
      const int sent = sendmmsg(descriptor_->fd, messages_.data() + done, static_cast<unsigned>(count_ - done),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) {
        for (int i = 0; i < sent; i++) Sent(entries_[done + i]);
        done += sent;
        continue;
      }
      if (errno == EINTR) continue;
      Entry& failed = entries_[done];
      if (failed.packets > 1 && (errno == EIO || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOPROTOOPT)) {
        // An interface without checksum offload, or a kernel without UDP_SEGMENT: from now on one by one.
        descriptor_->segmentation = false;
        SendOneByOne(failed, vectors_[done]);
      } else {
        Dropped(failed);
      }
      done++;
    }
    count_ = 0;
    used_ = 0;
    descriptor_ = nullptr;
  }

 private:
  struct Entry {
    Stream* stream;
    size_t packets;
    size_t payload_octets;
    size_t segment_bytes;
  };

  void SendOneByOne(const Entry& entry, const iovec& vector) {
    const auto* data = static_cast<const uint8_t*>(vector.iov_base);
    const size_t overhead = kRtpHeaderBytes + entry.stream->protector->tag_bytes();
    for (size_t offset = 0; offset < vector.iov_len; offset += entry.segment_bytes) {
      const size_t bytes = std::min(entry.segment_bytes, vector.iov_len - offset);
      const Entry one{entry.stream, 1, bytes - overhead, bytes};
      if (SendDatagram(*descriptor_, entry.stream->path, {data + offset, bytes})) {
        Sent(one);
      } else {
        Dropped(one);
      }
    }
  }

  void Sent(const Entry& entry) {
    entry.stream->stats.packets_sent += entry.packets;
    entry.stream->stats.octets_sent += entry.payload_octets;
    totals_.packets_sent += entry.packets;
    totals_.octets_sent += entry.payload_octets;
  }

  void Dropped(const Entry& entry) {
    entry.stream->stats.packets_dropped += entry.packets;
    totals_.packets_dropped += entry.packets;
  }

  FanOutTotals& totals_;
  std::vector<uint8_t> bytes_;
  size_t used_ = 0;
  size_t count_ = 0;
  UdpDescriptor* descriptor_ = nullptr;
  std::array<Entry, kBatchMessages> entries_{};
  std::array<mmsghdr, kBatchMessages> messages_{};
  std::array<iovec, kBatchMessages> vectors_{};
  struct alignas(cmsghdr) Control : std::array<uint8_t, kControlBytes> {};
  std::array<Control, kBatchMessages> controls_{};
};

FanOut::FanOut() : batch_(std::make_unique<Batch>(totals_)) {}
FanOut::~FanOut() = default;

uint32_t FanOut::AddFeed(uint32_t ring_packets) {
  const uint32_t id = next_id_++;
  feeds_.emplace(id, std::make_unique<Feed>(ring_packets));
  return id;
}

bool FanOut::RemoveFeed(uint32_t id) {
  Feed* feed = FindFeed(id);
  if (feed == nullptr) return false;
  while (!feed->subscribers.empty()) Detach(*feed->subscribers.back());
  feeds_.erase(id);
  return true;
}

uint32_t FanOut::AddStream(uint32_t ssrc, uint8_t payload_type, uint16_t sequence_number, uint32_t timestamp_offset,
                           std::unique_ptr<SrtpProtector> protector) {
  const uint32_t id = next_id_++;
  auto stream = std::make_unique<Stream>();
  stream->ssrc = ssrc;
  stream->payload_type = payload_type;
  stream->timestamp_offset = timestamp_offset;
  stream->next_index = sequence_number;
  stream->protector = std::move(protector);
  streams_.emplace(id, std::move(stream));
  return id;
}

bool FanOut::RemoveStream(uint32_t id) {
  Stream* stream = FindStream(id);
  if (stream == nullptr) return false;
  Detach(*stream);
  streams_.erase(id);
  return true;
}

bool FanOut::SetPath(uint32_t id, std::shared_ptr<UdpDescriptor> descriptor, const UdpPath& path) {
  Stream* stream = FindStream(id);
  if (stream == nullptr || descriptor->family != path.remote.storage.ss_family) return false;
  stream->descriptor = std::move(descriptor);
  stream->path = path;
  return true;
}

bool FanOut::Subscribe(uint32_t stream_id, uint32_t feed_id) {
  Stream* stream = FindStream(stream_id);
  Feed* feed = FindFeed(feed_id);
  if (stream == nullptr || feed == nullptr) return false;
  if (stream->feed == feed) return true;
  Detach(*stream);
  stream->feed = feed;
  stream->position = feed->subscribers.size();
  stream->delta = stream->next_index - feed->next;
  stream->first_index = stream->next_index;
  feed->subscribers.push_back(stream);
  return true;
}

bool FanOut::Unsubscribe(uint32_t id) {
  Stream* stream = FindStream(id);
  if (stream == nullptr) return false;
  Detach(*stream);
  return true;
}

void FanOut::Detach(Stream& stream) {
  if (stream.feed == nullptr) return;
  auto& subscribers = stream.feed->subscribers;
  Stream* last = subscribers.back();
  subscribers[stream.position] = last;
  last->position = stream.position;
  subscribers.pop_back();
  stream.feed = nullptr;
}

bool FanOut::Push(uint32_t feed_id, uint32_t timestamp, std::span<const uint8_t> payloads,
                  std::span<const uint16_t> sizes, bool marker, uint64_t* sent) {
  Feed* feed = FindFeed(feed_id);
  if (feed == nullptr) return false;
  const uint64_t before = totals_.packets_sent;
  // A frame that the ring does not hold goes out in parts, each before the next one overwrites it.
  for (size_t done = 0; done < sizes.size();) {
    const auto part = sizes.subspan(done, std::min(sizes.size() - done, feed->slots.size()));
    done += part.size();
    PushPart(*feed, timestamp, payloads, part, marker && done == sizes.size());
    payloads = payloads.subspan(std::accumulate(part.begin(), part.end(), size_t{0}));
  }
  *sent = totals_.packets_sent - before;
  return true;
}

void FanOut::PushPart(Feed& feed, uint32_t timestamp, std::span<const uint8_t> payloads,
                      std::span<const uint16_t> sizes, bool marker) {
  runs_.clear();
  size_t offset = 0;
  for (size_t i = 0; i < sizes.size(); i++) {
    const uint64_t packet = feed.next++;
    Slot& slot = feed.slot(packet);
    slot.timestamp = timestamp;
    slot.bytes = sizes[i];
    slot.marker = marker && i + 1 == sizes.size();
    std::memcpy(slot.payload.data(), payloads.data() + offset, sizes[i]);
    offset += sizes[i];
    // A run goes on while its packets are of the first one's size; a shorter one may end it.
    const bool extends = !runs_.empty() && sizes[i] <= sizes[i - runs_.back().count] &&
                         sizes[i - 1] == sizes[i - runs_.back().count] && runs_.back().count < kMaxSegments &&
                         (runs_.back().count + 1) * (kRtpHeaderBytes + kMaxTagBytes + sizes[i - runs_.back().count]) <=
                             kMaxMessageBytes;
    if (extends) {
      runs_.back().count++;
    } else {
      runs_.push_back({packet, 1});
    }
  }
  for (Stream* stream : feed.subscribers) {
    stream->next_index = feed.next + stream->delta;
    if (stream->descriptor == nullptr || stream->descriptor->fd < 0) continue;
    for (const Run& run : runs_) {
      const size_t first_bytes = stream->packet_bytes(feed.slot(run.first));
      const size_t step = stream->descriptor->segmentation ? run.count : 1;
      for (uint64_t packet = run.first; packet < run.first + run.count; packet += step) {
        uint8_t* const at = batch_->Reserve(*stream->descriptor, step * first_bytes);
        uint8_t* out = at;
        size_t octets = 0;
        bool ok = true;
        for (uint64_t each = packet; each < packet + step; each++) {
          const Slot& slot = feed.slot(each);
          ok = ok && stream->Write(slot, each + stream->delta, out);
          out += stream->packet_bytes(slot);
          octets += slot.bytes;
        }
        if (ok) batch_->Add(*stream, static_cast<size_t>(out - at), first_bytes, step, octets);
      }
    }
  }
  batch_->Flush();
}

bool FanOut::Retransmit(uint32_t id, uint16_t sequence_number, bool* sent) {
  Stream* stream = FindStream(id);
  if (stream == nullptr) return false;
  *sent = false;
  if (stream->feed == nullptr || stream->descriptor == nullptr || stream->descriptor->fd < 0) return true;
  // The latest index that has this sequence number.
  uint64_t index = (stream->next_index & ~uint64_t{0xffff}) | sequence_number;
  if (index >= stream->next_index) {
    if (index < 0x10000) return true;
    index -= 0x10000;
  }
  const uint64_t packet = index - stream->delta;
  if (index < stream->first_index || !stream->feed->holds(packet)) return true;
  const Slot& slot = stream->feed->slot(packet);
  std::array<uint8_t, kRtpHeaderBytes + kMaxPayloadBytes + kMaxTagBytes> out;
  // The same index and plaintext give the same bytes again, so no keystream is spent twice on different data.
  if (!stream->Write(slot, index, out.data())) return true;
  *sent = SendDatagram(*stream->descriptor, stream->path, {out.data(), stream->packet_bytes(slot)});
  if (*sent) stream->stats.packets_retransmitted++;
  return true;
}

const StreamStats* FanOut::Stats(uint32_t id) const {
  const Stream* stream = FindStream(id);
  return stream == nullptr ? nullptr : &stream->stats;
}

Stream* FanOut::FindStream(uint32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Feed* FanOut::FindFeed(uint32_t id) const {
  const auto found = feeds_.find(id);
  return found == feeds_.end() ? nullptr : found->second.get();
}

}  // namespace dialcast
