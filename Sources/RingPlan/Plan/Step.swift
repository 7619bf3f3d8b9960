package import RingCore

/// One step of a plan: at most one send and one receive, or one local copy.
///
/// The send and the receive of a step run side by side; neither waits for the other.
package struct Step: Sendable, Hashable {
    /// What to send.
    package var send: Send?
    /// What to receive.
    package var receive: Receive?
    /// What to copy within this rank. A step with a copy has neither send nor receive.
    package var copy: LocalCopy?

    /// Creates a step of a send, a receive, or both.
    package init(send: Send? = nil, receive: Receive? = nil) {
        self.send = send
        self.receive = receive
    }

    /// Creates a step of a local copy.
    package init(copy: LocalCopy) {
        self.copy = copy
    }
}

/// The sending of a slice to a peer.
package struct Send: Sendable, Hashable {
    /// The rank that receives it.
    package var peer: Rank
    /// The elements to send.
    package var source: Slice
    /// What must have happened before.
    package var after: [Dependency]

    /// Creates a send.
    package init(peer: Rank, source: Slice, after: [Dependency] = []) {
        self.peer = peer
        self.source = source
        self.after = after
    }
}

/// The receiving of a slice from a peer.
package struct Receive: Sendable, Hashable {
    /// The rank that sends it.
    package var peer: Rank
    /// Where the outcome goes.
    package var destination: Slice
    /// What becomes of the received elements.
    package var action: Action
    /// What must have happened before the destination is written or the action's own operand is read.
    package var after: [Dependency]

    /// What a receiver does with the received elements.
    package enum Action: Sendable, Hashable {
        /// The destination becomes the received elements.
        case copy
        /// The destination becomes op(own, received).
        ///
        /// `own` is the same slice as the destination, or one that does not overlap it. `isFinal` says that
        /// the result is the complete reduction over all ranks, so that this is where `average` divides.
        case reduce(own: Slice, isFinal: Bool)
    }

    /// Creates a receive.
    package init(peer: Rank, destination: Slice, action: Action = .copy, after: [Dependency] = []) {
        self.peer = peer
        self.destination = destination
        self.action = action
        self.after = after
    }
}

/// The copying of one slice of this rank to another.
package struct LocalCopy: Sendable, Hashable {
    /// The elements to copy.
    package var source: Slice
    /// Where they go; it does not overlap the source.
    package var destination: Slice
    /// What must have happened before.
    package var after: [Dependency]

    /// Creates a copy.
    package init(source: Slice, destination: Slice, after: [Dependency] = []) {
        self.source = source
        self.destination = destination
        self.after = after
    }
}

/// An event within the same rank that a transfer or a copy waits for. It belongs to an earlier step.
///
/// Where both touch the same elements, the engine may let the later one follow the earlier one byte by byte.
package enum Dependency: Sendable, Hashable {
    /// The receive, or the local copy, of the step with this index.
    case received(Int)
    /// The send of the step with this index: its source has been read and may be overwritten.
    case sent(Int)

    /// The index of the step whose event it is.
    package var step: Int {
        switch self {
        case .received(let step), .sent(let step): step
        }
    }
}

/// The elements of consecutive chunks in one place of a buffer.
package struct Slice: Sendable, Hashable {
    /// The buffer that holds them.
    package var buffer: Buffer
    /// The indices, in ``Plan/chunks``, of the chunks they belong to: one at least.
    package var chunks: Range<Int>
    /// Where in the buffer they lie, in elements. It is as long as the chunks together.
    package var range: Range<Int>

    /// Creates a slice of consecutive chunks.
    package init(_ buffer: Buffer, chunks: Range<Int>, _ range: Range<Int>) {
        self.buffer = buffer
        self.chunks = chunks
        self.range = range
    }

    /// Creates a slice of one chunk.
    package init(_ buffer: Buffer, chunk: Int, _ range: Range<Int>) {
        self.init(buffer, chunks: chunk..<(chunk + 1), range)
    }

    /// Whether some element lies in both slices.
    package func overlaps(_ other: Slice) -> Bool {
        buffer == other.buffer && range.overlaps(other.range)
    }
}

/// One of the memories that a plan works on.
package enum Buffer: Int, Sendable, Hashable, CaseIterable {
    /// What the caller passes in; only an out-of-place plan has it, and never writes it.
    case input
    /// What the caller gets back; in place, also what it passes in.
    case output
    /// Memory of the engine, undefined at the start.
    case scratch

    /// The buffer's name in a plan's text.
    package var name: String { "\(self)" }
}
