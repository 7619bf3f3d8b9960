package import RingCore
package import RingTransport

#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#endif

/// Frames over a reliable RDMA connection.
///
/// Payloads are lent from the ring that the peer writes to, without a copy, but for short ones.
package final class RDMALink: Link {
    package private(set) var peer: Rank
    private let connection: RDMAConnection
    /// Where the peer is: `10.0.0.2:4711`.
    private let address: String?
    /// Payload shorter than this is not lent.
    private let fewestLentBytes: Int
    /// Counts what is copied of payloads.
    private let copies: ByteCounter
    /// Is told once this end is closed.
    private let onClose: @Sendable (RDMAConnection) -> Void

    private let header = UnsafeMutableRawBufferPointer.allocate(
        byteCount: FrameHeader.byteCount, alignment: 64)
    @exclusivity(unchecked) private var headerSent = FrameHeader.byteCount
    /// How much of the begun frame's payload has not been accepted.
    @exclusivity(unchecked) private var payloadUnsent = 0

    /// Payload up to so many bytes is taken along with its header: a copy of it is cheaper than another look.
    private static let short = 1024

    private let incomingHeader = UnsafeMutableRawBufferPointer.allocate(
        byteCount: FrameHeader.byteCount, alignment: 64)
    @exclusivity(unchecked) private var headerReceived = 0
    /// How much of the current frame's payload has not been taken.
    @exclusivity(unchecked) private var payloadRemaining = 0
    /// How many bytes the borrower has seen and left.
    @exclusivity(unchecked) private var refused = 0
    /// A short payload that was taken with its header, or an element's parts that came in different segments, joined: the
    /// first `joinedCount` bytes.
    private var joined = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 64)
    @exclusivity(unchecked) private var joinedCount = 0

    init(
        peer: Rank, address: String?, connection: RDMAConnection, fewestLentBytes: Int, copies: ByteCounter,
        onClose: @escaping @Sendable (RDMAConnection) -> Void
    ) {
        self.peer = peer
        self.address = address
        self.connection = connection
        self.fewestLentBytes = fewestLentBytes
        self.copies = copies
        self.onClose = onClose
    }

    deinit {
        onClose(connection)
        header.deallocate()
        incomingHeader.deallocate()
        joined.deallocate()
    }

    package func renumber(peer: Rank) {
        self.peer = peer
    }

    package func close() {
        onClose(connection)
    }

    package func prepareToWait(for interest: LinkInterest) -> pollfd? {
        connection.prepareToWait(for: interest)
    }

    // MARK: Sending

    package func beginFrame(_ frame: FrameHeader) {
        precondition(!hasUnsentHeader, "the previous frame's header is still unsent")
        frame.encode(to: header.baseAddress!)
        headerSent = 0
        payloadUnsent = Int(frame.length)
    }

    package var hasUnsentHeader: Bool { headerSent < header.count }

    package func send(_ payload: UnsafeRawBufferPointer) throws -> Int {
        let unsent = UnsafeRawBufferPointer(rebasing: header[headerSent...])
        let accepted: Int
        do {
            accepted = try connection.send(unsent, payload)
        } catch { throw failure(error) }
        let count = took(accepted, ofHeader: unsent.count)
        copies.add(count)
        return count
    }

    /// Takes note of accepted bytes, the first of which were the header's; how many of them were payload.
    private func took(_ accepted: Int, ofHeader unsent: Int) -> Int {
        headerSent += min(accepted, unsent)
        let count = max(0, accepted - unsent)
        payloadUnsent -= count
        return count
    }

    package func lends(_ memory: UnsafeRawBufferPointer) -> Bool {
        memory.count >= fewestLentBytes && connection.region(of: memory) != nil
    }

    package func send(lending payload: UnsafeRawBufferPointer, fetched: Bool) throws -> Int {
        let unsent = UnsafeRawBufferPointer(rebasing: header[headerSent...])
        do {
            return took(
                try connection.send(unsent, lending: payload, fetched: fetched), ofHeader: unsent.count)
        } catch { throw failure(error) }
    }

    package func takeSettled() throws -> Int {
        do {
            return try connection.takeSettled()
        } catch { throw failure(error) }
    }

    package func relinquish(by deadline: Deadline) {
        connection.relinquish(by: deadline)
    }

    package func stage(_ frame: FrameHeader, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard !hasUnsentHeader, payloadUnsent == 0 else { return false }
        return connection.stage(header.count + payload.count) { place in
            frame.encode(to: place)
            copy(payload, behindHeader: place)
        }
    }

    package func sendAtOnce(_ header: RepeatedHeader, _ payload: UnsafeRawBufferPointer) throws -> Bool? {
        guard !hasUnsentHeader, payloadUnsent == 0 else { return nil }
        do {
            return try connection.send(header.byteCount + payload.count) { place in
                header.copy(to: place)
                copy(payload, behindHeader: place)
            }
        } catch { throw failure(error) }
    }

    private func copy(_ payload: UnsafeRawBufferPointer, behindHeader place: UnsafeMutableRawPointer) {
        copies.add(payload.count)
        guard let bytes = payload.baseAddress else { return }
        (place + header.count).copyMemory(from: bytes, byteCount: payload.count)
    }

    package func flush() throws -> Bool {
        do {
            return try connection.flush()
        } catch { throw failure(error) }
    }

    // MARK: Receiving

    package func receiveHeader(readAhead: Int) throws -> FrameHeader? {
        precondition(payloadRemaining == 0, "the previous frame's payload has not been taken")
        do {
            if headerReceived == 0 {
                let read = try connection.readFrame(
                    into: incomingHeader, and: UnsafeMutableRawBufferPointer(rebasing: joined[..<Self.short]),
                    length: { FrameHeader.length(of: $0) })
                guard read.header > 0 else { return nil }
                headerReceived = read.header
                joinedCount = read.payload
                copies.add(read.payload)
            } else {
                headerReceived += try connection.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: incomingHeader[headerReceived...])
                ).taken
            }
        } catch { throw failure(error) }
        guard headerReceived == incomingHeader.count else { return nil }
        headerReceived = 0
        do {
            let frame = try FrameHeader(decoding: UnsafeRawPointer(incomingHeader.baseAddress!))
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
        assert(
            destination.count == Int(expected.header.length), "a frame is taken to a place of another length")
        if headerReceived == 0, payloadRemaining == 0 {
            do {
                switch try connection.readFrame(expected, into: destination) {
                case .nothing: return .nothing
                case .whole:
                    copies.add(destination.count)
                    return .whole
                case .other: break
                }
            } catch { throw failure(error) }
        }
        return try takeNext(expected, into: destination, readAhead: readAhead)
    }

    package var fetchedAhead: Int { RDMAConnection.fetchedAhead }

    package func receive(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = min(destination.count, payloadRemaining)
        var taken = min(wanted, joinedCount)
        if taken > 0 {
            destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: joined[..<taken]))
            copies.add(taken)
            dropJoined(taken)
        }
        if taken < wanted {
            do {
                let read = try connection.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: destination[taken..<wanted]))
                taken += read.taken
                copies.add(read.copied)
            } catch  where taken == 0 {
                throw failure(error)
            } catch {
                // What had been joined is delivered first; the next call meets the failure again.
            }
        }
        payloadRemaining -= taken
        refused = 0
        return taken
    }

    package func receive(atMost limit: Int, _ body: (UnsafeRawBufferPointer) -> Int) throws -> Int {
        let wanted = min(limit, payloadRemaining)
        guard wanted > 0 else { return 0 }
        do {
            if joinedCount == 0 {
                switch try connection.lend(atMost: wanted, seen: refused, body) {
                case .lent(let count, let used):
                    refused = count - used
                    payloadRemaining -= used
                    return used
                case .nothing: return 0
                case .mustJoin: try join(refused)
                }
            }
            // What was refused is lent again once more has joined it.
            if joinedCount <= refused, joinedCount < wanted {
                let before = joinedCount
                try join(min(wanted - joinedCount, 4096))
                if joinedCount == before { return 0 }
            }
        } catch { throw failure(error) }
        let available = min(wanted, joinedCount)
        let used = body(UnsafeRawBufferPointer(rebasing: joined[..<available]))
        dropJoined(used)
        payloadRemaining -= used
        refused = available - used
        return used
    }

    /// Copies at most `byteCount` more bytes behind those that are joined.
    private func join(_ byteCount: Int) throws(RDMAFailure) {
        if joined.count < joinedCount + byteCount {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: 2 * (joinedCount + byteCount), alignment: 64)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: joined[..<joinedCount]))
            joined.deallocate()
            joined = larger
        }
        let read = try connection.read(
            into: UnsafeMutableRawBufferPointer(rebasing: joined[joinedCount...].prefix(byteCount)))
        joinedCount += read.taken
        copies.add(read.copied)
    }

    private func dropJoined(_ byteCount: Int) {
        joinedCount -= byteCount
        if byteCount > 0, joinedCount > 0, let start = joined.baseAddress {
            start.copyMemory(from: start + byteCount, byteCount: joinedCount)
        }
    }

    // MARK: Errors

    /// The peer as errors name it: `rank 2 (10.0.0.2:4711)`.
    private var peerText: String { "rank \(peer)" + (address.map { " (\($0))" } ?? "") }

    private func failure(_ failure: RDMAFailure) -> CollectiveError {
        switch failure {
        case .ended: CollectiveError(.peerLost, "\(peerText) closed its connection", peer: peer)
        case .closed:
            CollectiveError(.peerLost, "the connection to \(peerText) has been closed here", peer: peer)
        case .completion(let operation, let status):
            CollectiveError(
                .peerLost,
                "\(operation) with \(peerText) failed: \(status) (process or host down, or link broken)",
                peer: peer)
        case .system(let error):
            CollectiveError(
                .peerLost, "the connection to \(peerText) failed: \(error)", peer: peer, cause: error)
        case .memory(let error, let byteCount):
            // It is this rank's trouble; the engine says which that is.
            CollectiveError(
                .system,
                "\(RDMAErrors.lack(of: byteCount, error)) (they are needed to receive from \(peerText))",
                cause: error)
        case .violation(let what):
            CollectiveError(.protocolViolation, "\(peerText) \(what)", peer: peer)
        case .deviceRemoved:
            CollectiveError(
                .peerLost, "the RDMA device of the connection to \(peerText) has been removed", peer: peer)
        }
    }
}
