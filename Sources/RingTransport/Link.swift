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
}

/// One ordered, reliable channel of frames to one peer.
///
/// A frame is a ``FrameHeader`` and its payload. Both directions are independent, and a frame's payload may be
/// handed over and taken bit by bit, so that a rank forwards what it has reduced before the rest has come.
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

    /// Takes a whole small frame, to send it together with what comes after; false if it does not fit now, or while
    /// another frame is under way.
    ///
    /// ``flush()`` sends it, and so does the next ``send(_:)``.
    func stage(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) -> Bool

    /// Offers the staged frames; whether none is left.
    func flush() throws -> Bool

    /// The next frame's header, once it has arrived whole; the previous payload must have been taken whole.
    ///
    /// `readAhead` says how many bytes of payload the caller expects to want in the link's own memory (to reduce
    /// them from there); a link over a stream reads those with the header in one system call.
    func receiveHeader(readAhead: Int) throws -> FrameHeader?

    /// Takes up to `destination.count` bytes of the current frame's payload straight to where they belong.
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
