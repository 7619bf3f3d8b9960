package import RingCore

#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#endif

/// What a thread waits for on a link.
package struct LinkInterest: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// More bytes from the peer.
    package static let receiving = LinkInterest(rawValue: 1)
    /// Room for more bytes to the peer.
    package static let sending = LinkInterest(rawValue: 2)
    /// That lent bytes have been settled.
    package static let settling = LinkInterest(rawValue: 4)
}

/// What has come of a frame.
package enum FrameArrival {
    case nothing
    /// The expected frame, whole.
    case whole
    /// A frame with this header. If it is the expected one, so many bytes of its payload have been taken, else none.
    case begun(FrameHeader, taken: Int)
}

/// One ordered, reliable channel of frames to one peer.
///
/// A frame is a ``FrameHeader`` and its payload. Both directions are independent, and a frame's payload may be
/// handed over and taken bit by bit, so that a rank forwards what it has reduced before the rest has come.
///
/// Payload in memory that the transport knows (``Transport/register(_:)``) can be *lent* instead of handed over: the link
/// uses it where it is, and says when it is *settled*, that is, when nobody will look at it any more.
///
/// Contract for implementers:
/// - *Thread.* One thread at a time uses a link, except for ``close()``, which any thread may call at any time.
/// - *Never blocking.* Every call returns at once; "not now" is a value (0 or nil).
/// - *Order.* What is sent arrives once, unchanged and in order, or the link fails.
/// - *Errors.* A link that has failed throws `CollectiveError` naming the peer at each call: `.peerLost` when the
///   peer or the connection went away, `.protocolViolation` when the peer's bytes make no sense. Bytes that
///   arrived before the peer closed are delivered before the error.
package protocol Link: AnyObject {
    /// The rank at the other end, by the numbers of the communicator that uses the link.
    var peer: Rank { get }

    /// Gives the peer another number, by which errors name it from then on. Before the link is used.
    func renumber(peer: Rank)

    /// Starts a frame of `header.length` bytes. The previous one must have been accepted whole.
    func beginFrame(_ header: FrameHeader)

    /// Whether the header of the frame that was begun has not been accepted yet.
    var hasUnsentHeader: Bool { get }

    /// Offers the next bytes of the begun frame's payload, and before them its header if that is still unsent.
    ///
    /// An empty payload sends the header alone. Returns how many bytes of `payload` were accepted; the caller may
    /// reuse the memory of those at once.
    func send(_ payload: UnsafeRawBufferPointer) throws -> Int

    /// Whether payload can be lent from that memory, and is long enough to gain by it.
    func lends(_ memory: UnsafeRawBufferPointer) -> Bool

    /// Offers bytes as ``send(_:)`` does, to be used where they are: they must stay as they are until they are settled.
    /// Only bytes of memory that the link ``lends(_:)``.
    ///
    /// `fetched` says that the peer only stores them: it may then come and fetch them, when it wants them.
    func send(lending payload: UnsafeRawBufferPointer, fetched: Bool) throws -> Int

    /// How many more of the lent bytes, in the order in which they were accepted, have been settled since the last call.
    func takeSettled() throws -> Int

    /// Ends all use of others' memory: when it returns, nothing is read there or written any more, unless the device has
    /// not come to an end by the deadline. If any was in use, the link has failed.
    func relinquish(by deadline: Deadline)

    /// Takes a whole small frame, to send it together with what comes after; false if it does not fit now, or while
    /// another frame is under way.
    ///
    /// ``flush()`` sends it, and so does the next ``send(_:)``.
    func stage(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) -> Bool

    /// Offers the staged frames; whether none is left.
    func flush() throws -> Bool

    /// Both at once, as often as not in less time: nil if the frame was not taken, else whether nothing staged is left.
    func sendAtOnce(_ header: RepeatedHeader, _ payload: UnsafeRawBufferPointer) throws -> Bool?

    /// The next frame's header, once it has arrived whole; the previous payload must have been taken whole.
    ///
    /// `readAhead` says how many bytes of payload the caller expects to want in the link's own memory (to reduce
    /// them from there); a link over a stream reads those with the header in one system call.
    func receiveHeader(readAhead: Int) throws -> FrameHeader?

    /// Takes the next frame, if it is the expected one, with its whole payload, as long as the destination: as
    /// ``receiveHeader(readAhead:)`` and then ``receive(into:)``, with what these ask for, as often as not in less time.
    func receiveAtOnce(
        _ expected: RepeatedHeader, into destination: UnsafeMutableRawBufferPointer, readAhead: Int
    ) throws -> FrameArrival

    /// How many bytes of payload that goes straight to its place the link may have on their way there at once; 0 if it has
    /// none until they are asked for. So much memory is best said in one call of ``receive(into:)``.
    var fetchedAhead: Int { get }

    /// Takes up to `destination.count` bytes of the current frame's payload straight to where they belong.
    ///
    /// If it takes fewer, the next ones may be on their way to `destination` already: the next call must name the memory
    /// that follows, and it must stay valid until they have been taken or the link is told to ``relinquish(by:)``.
    func receive(into destination: UnsafeMutableRawBufferPointer) throws -> Int

    /// Lends the next bytes of the current frame's payload, at most `limit`, in the link's own memory.
    ///
    /// `body` returns how many of them it used up; the others are lent again. It is called once, or not at all if
    /// nothing has arrived. Returns what `body` returned, else 0. The memory is aligned arbitrarily.
    func receive(atMost limit: Int, _ body: (UnsafeRawBufferPointer) -> Int) throws -> Int

    /// Prepares to sleep after a call that could do nothing: what to `poll`, or nil if it is worth trying again.
    func prepareToWait(for interest: LinkInterest) -> pollfd?

    /// Ends the link. What was accepted before still reaches the peer if it can.
    func close()
}

extension Link {
    package func sendAtOnce(_ header: RepeatedHeader, _ payload: UnsafeRawBufferPointer) throws -> Bool? {
        guard stage(header.header, payload) else { return nil }
        return try flush()
    }

    package func receiveAtOnce(
        _ expected: RepeatedHeader, into destination: UnsafeMutableRawBufferPointer, readAhead: Int
    ) throws -> FrameArrival {
        try takeNext(expected, into: destination, readAhead: readAhead)
    }

    /// ``receiveAtOnce(_:into:readAhead:)``, in its two steps.
    package func takeNext(
        _ expected: RepeatedHeader, into destination: UnsafeMutableRawBufferPointer, readAhead: Int
    ) throws -> FrameArrival {
        guard let header = try receiveHeader(readAhead: readAhead) else { return .nothing }
        guard header == expected.header else { return .begun(header, taken: 0) }
        let taken = try receive(into: destination)
        return taken == destination.count ? .whole : .begun(header, taken: taken)
    }
}

// A link that knows no memory.
extension Link {
    package func lends(_ memory: UnsafeRawBufferPointer) -> Bool { false }

    package func send(lending payload: UnsafeRawBufferPointer, fetched: Bool) throws -> Int {
        preconditionFailure("bytes are lent to a link that does not take them")
    }

    package func takeSettled() throws -> Int { 0 }

    package var fetchedAhead: Int { 0 }

    package func relinquish(by deadline: Deadline) {}
}
