/** Who is watched is looked at this often, and a look in between which nothing was sent to it does not count. */
const LOOK_INTERVAL_MS = 1_000;

/** RFC 3550 §6.3.5: who is silent for five report intervals is gone. §6.2: an interval is five seconds or more. */
const SILENT_INTERVALS = 5;
const LEAST_SILENCE_SECONDS = 30;

/**
 * Tells when a receiver of plain RTP has vanished. Many phones send no RTCP, and may send no RTP either; some say a
 * word when the call begins and never again. So only one that reports again and again is missed when it is silent, for
 * several times the longest pause that it ever made. Pauses are counted in seconds in which something was sent to it:
 * who holds the call has nothing to report.
 */
export class ReceiverWatch {
  #nextLookMs = 0;
  #packetsSent = 0;
  #hasReported = false;
  #secondsSinceReport = 0;
  #silentSeconds = 0;
  #longestPauseSeconds = 0;

  heard(rtcp: boolean): void {
    this.#silentSeconds = 0;
    if (!rtcp) return;
    if (this.#hasReported) this.#longestPauseSeconds = Math.max(this.#longestPauseSeconds, this.#secondsSinceReport);
    this.#hasReported = true;
    this.#secondsSinceReport = 0;
  }

  /** Has it vanished? Asks for the number of packets sent so far when it is time to look. */
  vanished(nowMs: number, packetsSent: () => number): boolean {
    if (nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = nowMs + LOOK_INTERVAL_MS;
    const before = this.#packetsSent;
    this.#packetsSent = packetsSent();
    if (this.#packetsSent === before) return false;
    this.#secondsSinceReport++;
    this.#silentSeconds++;
    const mostSeconds = Math.max(LEAST_SILENCE_SECONDS, SILENT_INTERVALS * this.#longestPauseSeconds);
    return this.#longestPauseSeconds > 0 && this.#silentSeconds > mostSeconds;
  }
}
