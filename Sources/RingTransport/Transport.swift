package import RingCore

/// Which link between two ranks: a communicator has several.
package struct LinkIdentifier: Hashable, Sendable {
    /// The communicator, among those of the same job.
    package var communicator: UInt32
    /// How often the communicator has been rebuilt.
    package var epoch: UInt32
    /// The channel: an independent set of links, driven by its own thread.
    package var channel: UInt16

    /// The channel that the watchdogs talk on.
    package static let controlChannel = UInt16.max
    /// The channel of messages between two ranks.
    package static let messageChannel = UInt16.max - 1
    /// The channel that is asked for to learn whether a peer can be reached.
    package static let trialChannel = UInt16.max - 2

    /// Creates an identifier.
    package init(communicator: UInt32 = 0, epoch: UInt32 = 0, channel: UInt16) {
        self.communicator = communicator
        self.epoch = epoch
        self.channel = channel
    }
}

/// A way for ranks to reach each other: makes links.
///
/// Life: created (it can be reached from then on), its ``card`` published to all ranks, ``meet(_:)`` called with
/// everybody's, links made as they are needed, ``shutdown()``. Several communicators use it side by side: what one of
/// them meets, by ``abort(_:communicator:)`` and ``retire(communicator:)``, does not touch the others.
///
/// Contract for implementers:
/// - All calls may come from any thread, several at a time; ``link(to:_:deadline:)`` blocks its thread.
/// - Links are made only when asked for. Both ends ask; which one dials is the transport's business.
/// - Asking twice for the same link is the caller's mistake: links are not shared.
/// - A peer that sends nonsense, or nothing, delays nobody else.
package protocol Transport: AnyObject, Sendable {
    /// The name that command lines use: `tcp`.
    var name: String { get }

    /// What others need to know to reach this rank; opaque bytes, at most 4 KiB.
    var card: [UInt8] { get }

    /// Tells the ranks' cards, by rank. Throws `.invalidConfiguration` if one of them makes no sense.
    func meet(_ cards: [[UInt8]]) throws

    /// Makes the link to a peer; waits until the peer has asked for it too, or can take it without.
    ///
    /// Throws `.unreachable` or `.peerLost` with the peer's address and the system's reason, `.timedOut` naming the
    /// peer once the deadline has passed, and the error given to ``abort(_:communicator:)``.
    func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link

    /// Whether this rank makes its links to that peer without waiting for the peer to ask; else it waits.
    func dials(_ peer: Rank) -> Bool

    /// Makes every present and future wait for links of this communicator (nil: of any) throw `error`. The first
    /// error stands.
    func abort(_ error: CollectiveError, communicator: UInt32?)

    /// This rank has closed that communicator: links that peers ask for in vain end at once.
    func retire(communicator: UInt32)

    /// Makes memory known, so that its links can use it where it is; nil if the transport has no use for that.
    ///
    /// The memory must stay valid until the last reference to what is returned has gone, and so must be whatever was lent of
    /// it. Throws `.system` saying why it cannot be registered, as where too little may be locked.
    func register(_ memory: UnsafeMutableRawBufferPointer) throws -> (any MemoryRegistration)?

    /// Whether that address is in memory that is registered, by its owner.
    func isRegistered(_ address: UnsafeRawPointer) -> Bool

    /// From how many bytes on memory is worth a ``lease(_:)``; nil if none is had.
    var fewestLeasedBytes: Int? { get }

    /// Makes ordinary memory known for as long as an operation uses it, at little cost if it was before; nil if that cannot
    /// be done.
    ///
    /// The memory must stay valid until the last reference to what is returned has gone; after that it may go without a word.
    func lease(_ memory: UnsafeRawBufferPointer) -> (any MemoryRegistration)?

    /// How many bytes of payload its links have copied between the callers' memory and their own.
    var copiedBytes: Int { get }

    /// Ends the transport: it cannot be reached any more. Links that were made live on. Calling it twice is fine.
    func shutdown()
}

/// Memory that a transport knows, until the last reference goes.
package protocol MemoryRegistration: AnyObject, Sendable {}

// A transport that knows no memory.
extension Transport {
    package func register(_ memory: UnsafeMutableRawBufferPointer) throws -> (any MemoryRegistration)? { nil }

    package func isRegistered(_ address: UnsafeRawPointer) -> Bool { false }

    package var fewestLeasedBytes: Int? { nil }

    package func lease(_ memory: UnsafeRawBufferPointer) -> (any MemoryRegistration)? { nil }

    package var copiedBytes: Int { 0 }
}

extension Transport {
    /// Makes every present and future wait in ``link(to:_:deadline:)`` throw `error`.
    package func abort(_ error: CollectiveError) { abort(error, communicator: nil) }
}

/// Proves and checks that the two ends of a connection belong to the same job.
package protocol LinkAuthenticator: Sendable {
    /// 32 bytes that only a holder of the job's secret can make for this label and transcript.
    func proof(label: String, transcript: [UInt8]) -> [UInt8]
}

extension LinkAuthenticator {
    /// Whether `candidate` is the proof, compared in constant time.
    package func verify(_ candidate: [UInt8], label: String, transcript: [UInt8]) -> Bool {
        let expected = proof(label: label, transcript: transcript)
        guard candidate.count == expected.count else { return false }
        return zip(candidate, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
