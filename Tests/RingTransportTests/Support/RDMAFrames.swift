import RingCore
import RingSystem
import RingTransport

/// Frames sent and received by one thread, on both ends of a link.
enum RDMAFrames {
    /// The header of a frame of so many bytes.
    static func header(_ length: Int) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: 0, epoch: 0, sequence: 0,
            signature: OperationSignature(
                collective: .allReduce, dataType: .uint8, op: .sum, elementCount: length, root: nil,
                algorithm: AlgorithmCode(name: "ring")), length: UInt32(length))
    }

    /// Sends a frame and receives it. Throws the error of the link that fails, or `timedOut`.
    static func send(_ byteCount: Int, over sender: any Link, to receiver: any Link, until deadline: Deadline)
        throws
    {
        let sent = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var received = [UInt8](repeating: 0, count: byteCount)
        var (sentCount, receivedCount, hasHeader) = (0, 0, false)
        sender.beginFrame(header(byteCount))
        while sentCount < byteCount || receivedCount < byteCount {
            if sentCount < byteCount {
                sentCount += try sent.withUnsafeBytes {
                    try sender.send(UnsafeRawBufferPointer(rebasing: $0[sentCount...]))
                }
            }
            if !hasHeader {
                hasHeader = try receiver.receiveHeader(readAhead: 0) != nil
            } else {
                receivedCount += try received.withUnsafeMutableBytes {
                    try receiver.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[receivedCount...]))
                }
            }
            if deadline.hasPassed { throw CollectiveError(.timedOut, "a frame did not arrive", peer: 0) }
        }
        guard received == sent else {
            throw CollectiveError(.protocolViolation, "a frame arrived changed", peer: 0)
        }
    }

    /// Sends a frame from registered memory, to be fetched or written, and receives it in registered memory. Throws as
    /// ``send(_:over:to:until:)``; then both links have relinquished the memory.
    static func lend(
        _ byteCount: Int, fetched: Bool, over sender: any Link, of low: any Transport, to receiver: any Link,
        of high: any Transport, until deadline: Deadline
    ) throws {
        let sent = try TestArea(byteCount, low)
        let received = try TestArea(byteCount, high)
        for index in sent.bytes.indices { sent.bytes[index] = UInt8(truncatingIfNeeded: index &* 7) }
        var (sentCount, settledCount, receivedCount, hasHeader) = (0, 0, 0, false)
        defer {
            sender.relinquish(by: .after(.seconds(5)))
            receiver.relinquish(by: .after(.seconds(5)))
            withExtendedLifetime((sent, received)) {}
        }
        sender.beginFrame(header(byteCount))
        while settledCount < byteCount || receivedCount < byteCount {
            if sentCount < byteCount {
                sentCount += try sender.send(
                    lending: UnsafeRawBufferPointer(rebasing: sent.bytes[sentCount..<byteCount]),
                    fetched: fetched)
            }
            settledCount += try sender.takeSettled()
            if !hasHeader {
                hasHeader = try receiver.receiveHeader(readAhead: 0) != nil
            } else if receivedCount < byteCount {
                receivedCount += try receiver.receive(
                    into: UnsafeMutableRawBufferPointer(rebasing: received.bytes[receivedCount..<byteCount]))
            }
            if deadline.hasPassed { throw CollectiveError(.timedOut, "a frame did not arrive", peer: 0) }
        }
        guard sent.bytes[..<byteCount].elementsEqual(received.bytes[..<byteCount]) else {
            throw CollectiveError(.protocolViolation, "a frame arrived changed", peer: 0)
        }
    }

    /// Waits for a header, asleep in the kernel.
    @discardableResult
    static func awaitHeader(over link: any Link, until deadline: Deadline) throws -> FrameHeader {
        while true {
            if let header = try link.receiveHeader(readAhead: 0) { return header }
            if let descriptor = link.prepareToWait(for: .receiving) {
                var descriptors = [descriptor]
                try SystemCall.poll(&descriptors, milliseconds: deadline.remainingMilliseconds())
            }
            if deadline.hasPassed { throw CollectiveError(.timedOut, "no frame came", peer: 0) }
        }
    }
}

/// Memory that a transport knows.
final class TestArea {
    let bytes: UnsafeMutableRawBufferPointer
    private var registration: (any MemoryRegistration)?

    init(_ byteCount: Int, _ transport: any Transport) throws {
        bytes = .allocate(byteCount: byteCount, alignment: 4096)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        registration = try transport.register(bytes)
    }

    deinit {
        registration = nil
        bytes.deallocate()
    }
}
