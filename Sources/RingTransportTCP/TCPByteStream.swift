import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A connected socket as a stream of bytes.
final class TCPByteStream: ByteStream {
    private let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    func write(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(StreamFailure) -> Int
    {
        guard first.count + second.count > 0 else { return 0 }
        do {
            switch try socket.send(first, second) {
            case .done(let count): return count
            case .wouldBlock: return 0
            }
        } catch { throw .broken(error.reason) }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamFailure) -> Int {
        guard !buffer.isEmpty else { return 0 }
        let result: IOResult
        do {
            result = try socket.receive(into: buffer)
        } catch { throw .broken(error.reason) }
        switch result {
        case .done(0): throw .ended
        case .done(let count): return count
        case .wouldBlock: return 0
        }
    }

    func prepareToWait(for interest: LinkInterest) -> pollfd? {
        var events: Int32 = 0
        if interest.contains(.receiving) { events |= POLLIN }
        if interest.contains(.sending) { events |= POLLOUT }
        return pollfd(fd: socket.number, events: Int16(events), revents: 0)
    }

    func close() {
        socket.shutDown()
    }
}
