import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One end of an in-memory link: reads one pipe, writes the other.
final class InMemoryStream: ByteStream {
    private let incoming: InMemoryPipe
    private let outgoing: InMemoryPipe
    private let wakeUp: WakeUp

    init(incoming: InMemoryPipe, outgoing: InMemoryPipe) throws {
        self.incoming = incoming
        self.outgoing = outgoing
        wakeUp = try WakeUp()
        incoming.attach(readable: wakeUp)
        outgoing.attach(writable: wakeUp)
    }

    func write(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(StreamFailure) -> Int
    {
        try outgoing.write([first, second])
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamFailure) -> Int {
        guard !buffer.isEmpty else { return 0 }
        return try incoming.read(into: buffer)
    }

    func prepareToWait(for interest: LinkInterest) -> pollfd? {
        // Whatever happens from here on sets the event again; what happened before is seen now.
        wakeUp.reset()
        if interest.contains(.receiving), incoming.mayRead { return nil }
        if interest.contains(.sending), outgoing.mayWrite { return nil }
        return pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
    }

    func close() {
        incoming.close()
        outgoing.close()
    }
}
