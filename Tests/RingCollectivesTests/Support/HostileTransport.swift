import RingCollectives
import RingCore
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A rank's transport that sends other payloads than it is given, each in a frame of its own: a peer that does not follow
/// the protocol.
final class HostileTransport: Transport {
    /// Changes a payload; its frame says how long it is then.
    typealias Change = @Sendable (inout [UInt8]) -> Void

    private let transport: any Transport
    private let change: Change

    init(_ transport: any Transport, change: @escaping Change) {
        self.transport = transport
        self.change = change
    }

    var name: String { transport.name }
    var card: [UInt8] { transport.card }
    func meet(_ cards: [[UInt8]]) throws { try transport.meet(cards) }
    func dials(_ peer: Rank) -> Bool { transport.dials(peer) }
    func abort(_ error: CollectiveError, communicator: UInt32?) {
        transport.abort(error, communicator: communicator)
    }
    func retire(communicator: UInt32) { transport.retire(communicator: communicator) }
    func shutdown() { transport.shutdown() }

    func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        let link = try transport.link(to: peer, identifier, deadline: deadline)
        return identifier.channel == LinkIdentifier.controlChannel ? link : HostileLink(link, change)
    }
}

/// A link whose small frames, which are staged, are changed.
private final class HostileLink: Link {
    private let link: any Link
    private let change: HostileTransport.Change

    init(_ link: any Link, _ change: @escaping HostileTransport.Change) {
        self.link = link
        self.change = change
    }

    func stage(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) -> Bool {
        var changed = Array(payload)
        change(&changed)
        var header = header
        header.length = UInt32(changed.count)
        return changed.withUnsafeBytes { link.stage(header, $0) }
    }

    var peer: Rank { link.peer }
    func renumber(peer: Rank) { link.renumber(peer: peer) }
    func beginFrame(_ header: FrameHeader) { link.beginFrame(header) }
    var hasUnsentHeader: Bool { link.hasUnsentHeader }
    func send(_ payload: UnsafeRawBufferPointer) throws -> Int { try link.send(payload) }
    func flush() throws -> Bool { try link.flush() }
    func receiveHeader(readAhead: Int) throws -> FrameHeader? {
        try link.receiveHeader(readAhead: readAhead)
    }
    func receive(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
        try link.receive(into: destination)
    }
    func receive(atMost limit: Int, _ body: (UnsafeRawBufferPointer) -> Int) throws -> Int {
        try link.receive(atMost: limit, body)
    }
    func prepareToWait(for interest: LinkInterest) -> pollfd? { link.prepareToWait(for: interest) }
    func close() { link.close() }
}
