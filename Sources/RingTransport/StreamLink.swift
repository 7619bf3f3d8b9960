package import RingCore

#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#endif

/// A non-blocking stream of bytes in both directions: what TCP offers, and its fake.
///
/// The threads' rules are those of ``Link``.
package protocol ByteStream: AnyObject {
    /// Sends `first`, then `second`, in one go; returns how many bytes were accepted, 0 if none now.
    func write(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(StreamFailure) -> Int

    /// Reads at most `buffer.count` bytes; 0 if there are none now.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamFailure) -> Int

    /// As in ``Link/prepareToWait(for:)``.
    func prepareToWait(for interest: LinkInterest) -> pollfd?

    /// Ends the stream in both directions; what was accepted is still delivered if possible.
    func close()
}

/// Why a byte stream ended.
package enum StreamFailure: Error, Hashable {
    /// The peer closed its end after all its bytes.
    case ended
    /// The connection broke; in the system's words.
    case broken(String)
}

/// Frames over a byte stream.
///
/// Payloads to be reduced are read into one small buffer that stays in the processor's cache and are lent from
/// there; payloads to be stored are read straight to their place.
package final class StreamLink: Link {
    package private(set) var peer: Rank
    private let stream: any ByteStream
    /// Where the peer is, if that says more than its number: `10.0.0.2:4711`.
    private let address: String?

    /// Bytes from the stream, not yet taken: `buffer[start..<end]`.
    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    /// How much of the current frame's payload has not been taken.
    private var payloadRemaining = 0
    /// How many buffered bytes the borrower has seen and left: less than an element.
    private var refused = 0

    private let header: UnsafeMutableRawBufferPointer
    private var headerSent = FrameHeader.byteCount
    /// How much of the begun frame's payload has not been accepted.
    private var payloadUnsent = 0

    /// Whole small frames on their way: `staged[stagedStart..<stagedEnd]`.
    private let staged: UnsafeMutableRawBufferPointer
    private var stagedStart = 0
    private var stagedEnd = 0
    private static let stageSize = 32 << 10

    /// Frames `stream`. `bufferSize` bounds the piece that is reduced at a time.
    package init(
        peer: Rank, address: String? = nil, stream: any ByteStream, bufferSize: Int = 256 << 10
    ) {
        self.peer = peer
        self.address = address
        self.stream = stream
        // Room for one more header, so that a read of a header and a whole piece fits.
        buffer = .allocate(byteCount: bufferSize + FrameHeader.byteCount, alignment: 4096)
        header = .allocate(byteCount: FrameHeader.byteCount, alignment: 64)
        staged = .allocate(byteCount: Self.stageSize, alignment: 64)
    }

    deinit {
        stream.close()
        buffer.deallocate()
        header.deallocate()
        staged.deallocate()
    }

    package func renumber(peer: Rank) {
        self.peer = peer
    }

    /// The peer as errors name it: `rank 2 (10.0.0.2:4711)`.
    private var peerText: String { "rank \(peer)" + (address.map { " (\($0))" } ?? "") }

    package func beginFrame(_ frame: FrameHeader) {
        precondition(!hasUnsentHeader, "the previous frame's header is still unsent")
        frame.encode(to: header.baseAddress!)
        headerSent = 0
        payloadUnsent = Int(frame.length)
    }

    package var hasUnsentHeader: Bool { headerSent < FrameHeader.byteCount }

    package func stage(_ frame: FrameHeader, _ payload: UnsafeRawBufferPointer) -> Bool {
        stage(payload) { frame.encode(to: $0) }
    }

    package func sendAtOnce(_ header: RepeatedHeader, _ payload: UnsafeRawBufferPointer) throws -> Bool? {
        guard stage(payload, { header.copy(to: $0) }) else { return nil }
        return try flush()
    }

    @inline(__always)
    private func stage(
        _ payload: UnsafeRawBufferPointer, _ writeHeader: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        guard !hasUnsentHeader, payloadUnsent == 0 else { return false }
        let byteCount = FrameHeader.byteCount + payload.count
        guard byteCount <= staged.count - stagedEnd, let start = staged.baseAddress else { return false }
        writeHeader(start + stagedEnd)
        if let bytes = payload.baseAddress, payload.count > 0 {
            (start + stagedEnd + FrameHeader.byteCount).copyMemory(from: bytes, byteCount: payload.count)
        }
        stagedEnd += byteCount
        return true
    }

    package func flush() throws -> Bool {
        guard stagedStart < stagedEnd else { return true }
        do {
            stagedStart += try stream.write(
                UnsafeRawBufferPointer(rebasing: staged[stagedStart..<stagedEnd]),
                UnsafeRawBufferPointer(start: nil, count: 0))
        } catch { throw failure(error, while: "sending to") }
        guard stagedStart == stagedEnd else { return false }
        (stagedStart, stagedEnd) = (0, 0)
        return true
    }

    package func send(_ payload: UnsafeRawBufferPointer) throws -> Int {
        guard try flush() else { return 0 }
        let unsent = UnsafeRawBufferPointer(rebasing: header[headerSent...])
        let written: Int
        do {
            written = try stream.write(unsent, payload)
        } catch { throw failure(error, while: "sending to") }
        if written < unsent.count {
            headerSent += written
            return 0
        }
        headerSent = FrameHeader.byteCount
        payloadUnsent -= written - unsent.count
        return written - unsent.count
    }

    package func receiveHeader(readAhead: Int) throws -> FrameHeader? {
        precondition(payloadRemaining == 0, "the previous frame's payload has not been taken")
        if end - start < FrameHeader.byteCount {
            try fill(atMost: FrameHeader.byteCount - (end - start) + readAhead)
            if end - start < FrameHeader.byteCount { return nil }
        }
        do {
            let frame = try FrameHeader(decoding: buffer.baseAddress! + start)
            start += FrameHeader.byteCount
            payloadRemaining = Int(frame.length)
            refused = 0
            return frame
        } catch {
            throw CollectiveError(
                .protocolViolation, "\(peerText) sent something that is not a frame: \(error)", peer: peer)
        }
    }

    package func receiveAtOnce(
        _ expected: RepeatedHeader, into destination: UnsafeMutableRawBufferPointer, readAhead: Int
    ) throws -> FrameArrival {
        precondition(payloadRemaining == 0, "the previous frame's payload has not been taken")
        assert(
            destination.count == Int(expected.header.length), "a frame is taken to a place of another length")
        let byteCount = FrameHeader.byteCount + destination.count
        if end - start < FrameHeader.byteCount {
            try fill(atMost: FrameHeader.byteCount - (end - start) + readAhead)
            if end - start < FrameHeader.byteCount { return .nothing }
        }
        guard end - start >= byteCount, expected.isEqual(to: buffer.baseAddress! + start) else {
            return try takeNext(expected, into: destination, readAhead: readAhead)
        }
        if let place = destination.baseAddress {
            place.copyMemory(
                from: buffer.baseAddress! + (start + FrameHeader.byteCount), byteCount: destination.count)
        }
        start += byteCount
        refused = 0
        return .whole
    }

    package func receive(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = min(destination.count, payloadRemaining)
        var taken = min(wanted, end - start)
        if taken > 0 {
            destination.baseAddress!.copyMemory(from: buffer.baseAddress! + start, byteCount: taken)
            start += taken
        }
        if taken < wanted {
            do {
                taken += try stream.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: destination[taken..<wanted]))
            } catch  where taken == 0 {
                throw failure(error, while: "receiving from")
            } catch {
                // What had been buffered is delivered first; the next call meets the failure again.
            }
        }
        payloadRemaining -= taken
        refused = 0
        return taken
    }

    package func receive(atMost limit: Int, _ body: (UnsafeRawBufferPointer) -> Int) throws -> Int {
        let wanted = min(limit, payloadRemaining)
        let buffered = end - start
        // What was refused is lent again once more has joined it. Until then the rest stays in the stream, which
        // thereby wakes whoever waits for it.
        if buffered <= refused, buffered < wanted {
            try fill(atMost: min(wanted, buffer.count) - buffered)
            if end - start == buffered { return 0 }
        }
        let available = min(wanted, end - start)
        guard available > 0 else { return 0 }
        let used = body(UnsafeRawBufferPointer(rebasing: buffer[start..<(start + available)]))
        start += used
        payloadRemaining -= used
        refused = available - used
        return used
    }

    package func prepareToWait(for interest: LinkInterest) -> pollfd? {
        stream.prepareToWait(for: interest)
    }

    package func close() {
        _ = try? flush()
        stream.close()
    }

    /// Reads at most `limit` more bytes behind those that are buffered, as many as the stream has now.
    private func fill(atMost limit: Int) throws {
        if start > 0 {
            // What is left over is less than a header or an element.
            if end > start {
                buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + start, byteCount: end - start)
            }
            end -= start
            start = 0
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end..<min(buffer.count, end + limit)])
        do {
            end += try stream.read(into: room)
        } catch { throw failure(error, while: "receiving from") }
    }

    private func failure(_ failure: StreamFailure, while doing: String) -> CollectiveError {
        switch failure {
        case .ended: CollectiveError(.peerLost, "\(peerText) closed its connection", peer: peer)
        case .broken(let reason):
            CollectiveError(.peerLost, "\(doing) \(peerText) failed: \(reason)", peer: peer)
        }
    }
}
