public import RingCore

// Registered buffers, blocking and asynchronous, for the collectives that are called most; the others are run by
// `run(_:)` and `start(_:)`.

// MARK: Blocking. The calling thread does the work itself if nothing else is going on.

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place. Blocks.
    public func allReduce<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try run(.allReduce(buffer, op, compression: compression).within(timeout))
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many. Blocks.
    public func allReduce<Element: CollectiveElement>(
        from input: RegisteredBuffer<Element>, into output: RegisteredBuffer<Element>,
        _ op: ReductionOperator, compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.allReduce(from: input, into: output, op, compression: compression).within(timeout))
    }

    /// Replaces the root's elements by the combinations of all ranks'; other ranks' stay as they are. Blocks.
    public func reduce<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, root: Rank,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.reduce(buffer, op, root: root, compression: compression).within(timeout))
    }

    /// Combines all ranks' elements; this rank's share is left in its place, the rest is undefined. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.reduceScatter(buffer, op, counts: counts, compression: compression).within(timeout))
    }

    /// Collects all ranks' shares; this rank's is at its place before. Blocks.
    public func allGather<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, counts: [Int]? = nil, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try run(.allGather(buffer, counts: counts, compression: compression).within(timeout))
    }

    /// Replaces the elements on all ranks by the root's. Blocks.
    public func broadcast<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, root: Rank, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try run(.broadcast(buffer, root: root, compression: compression).within(timeout))
    }

    /// Sends each rank a block, and puts in its place the block that came from that rank. Blocks.
    public func allToAll<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, timeout: Duration? = nil
    ) throws {
        try run(.allToAll(buffer).within(timeout))
    }

    /// Sends the elements to one rank, which receives as many with the same tag. Blocks.
    public func send<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, to peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) throws {
        try run(.send(buffer, to: peer, tag: tag).within(timeout))
    }

    /// Receives as many elements as the buffer has from one rank, which sends them with the same tag. Blocks.
    public func receive<Element: CollectiveElement>(
        into buffer: RegisteredBuffer<Element>, from peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) throws {
        try run(.receive(into: buffer, from: peer, tag: tag).within(timeout))
    }
}

// MARK: Asynchronous. Cancelling the task ends the operation, and the communicator, on all ranks.

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place.
    public func allReduce<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws {
        try await start(.allReduce(buffer, op, compression: compression).within(timeout)).value
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many.
    public func allReduce<Element: CollectiveElement>(
        from input: RegisteredBuffer<Element>, into output: RegisteredBuffer<Element>,
        _ op: ReductionOperator, compression: Compression = .none, timeout: Duration? = nil
    ) async throws {
        try await start(.allReduce(from: input, into: output, op, compression: compression).within(timeout))
            .value
    }

    /// Replaces the root's elements by the combinations of all ranks'; other ranks' stay as they are.
    public func reduce<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, root: Rank,
        compression: Compression = .none, timeout: Duration? = nil
    ) async throws {
        try await start(.reduce(buffer, op, root: root, compression: compression).within(timeout)).value
    }

    /// Combines all ranks' elements; this rank's share is left in its place, the rest is undefined.
    public func reduceScatter<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none, timeout: Duration? = nil
    ) async throws {
        try await start(.reduceScatter(buffer, op, counts: counts, compression: compression).within(timeout))
            .value
    }

    /// Collects all ranks' shares; this rank's is at its place before.
    public func allGather<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, counts: [Int]? = nil, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws {
        try await start(.allGather(buffer, counts: counts, compression: compression).within(timeout)).value
    }

    /// Replaces the elements on all ranks by the root's.
    public func broadcast<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, root: Rank, compression: Compression = .none,
        timeout: Duration? = nil
    ) async throws {
        try await start(.broadcast(buffer, root: root, compression: compression).within(timeout)).value
    }

    /// Sends each rank a block, and puts in its place the block that came from that rank.
    public func allToAll<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, timeout: Duration? = nil
    ) async throws {
        try await start(.allToAll(buffer).within(timeout)).value
    }

    /// Sends the elements to one rank, which receives as many with the same tag.
    public func send<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, to peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) async throws {
        try await start(.send(buffer, to: peer, tag: tag).within(timeout)).value
    }

    /// Receives as many elements as the buffer has from one rank, which sends them with the same tag.
    public func receive<Element: CollectiveElement>(
        into buffer: RegisteredBuffer<Element>, from peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) async throws {
        try await start(.receive(into: buffer, from: peer, tag: tag).within(timeout)).value
    }
}
