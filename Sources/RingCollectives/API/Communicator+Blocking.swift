public import RingCore

// Memory of the caller's, blocking. The calling thread does the work itself if nothing else is going on. An array goes
// in as `array.mutableSpan`; the forms that take arrays themselves are asynchronous.

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place. Blocks.
    public func allReduce<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.allReduce(buffer, op).compressed(compression).within(timeout))
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many. Blocks.
    public func allReduce<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator, compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.allReduce(from: input, into: output, op).compressed(compression).within(timeout))
    }

    /// Replaces the root's elements by the combinations of all ranks'; other ranks' stay as they are. Blocks.
    public func reduce<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator, root: Rank,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.reduce(buffer, op, root: root).compressed(compression).within(timeout))
    }

    /// Writes the combinations of all ranks' elements in `input` to the root's `output`, which has as many; other ranks'
    /// is not touched and may be empty. Blocks.
    public func reduce<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator, root: Rank, compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.reduce(from: input, into: output, op, root: root).compressed(compression).within(timeout))
    }

    /// Combines all ranks' elements; this rank's share is left in its place, `Partition(count, worldSize)[rank]` or as
    /// `counts` say, the rest is undefined. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.reduceScatter(buffer, op, counts: counts).compressed(compression).within(timeout))
    }

    /// Writes this rank's share of the combinations of all ranks' elements to `output`. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator, counts: [Int]? = nil, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try run(
            .reduceScatter(from: input, into: output, op, counts: counts).compressed(compression).within(
                timeout))
    }

    /// Collects all ranks' shares; this rank's is at its place before, `Partition(count, worldSize)[rank]` or as `counts`
    /// say. Blocks.
    public func allGather<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: [Int]? = nil, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try run(.allGather(buffer, counts: counts).compressed(compression).within(timeout))
    }

    /// Collects all ranks' `input` in `output`, by rank. Blocks.
    public func allGather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        counts: [Int]? = nil, compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.allGather(from: input, into: output, counts: counts).compressed(compression).within(timeout))
    }

    /// Collects all ranks' shares in the root's buffer; every rank's is as large as the whole and has the share at its
    /// place before. Blocks.
    public func gather<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: [Int]? = nil, root: Rank,
        timeout: Duration? = nil
    ) throws {
        try run(.gather(buffer, counts: counts, root: root).within(timeout))
    }

    /// Collects all ranks' `input` in the root's `output`, by rank; other ranks' may be empty. Where the ranks' shares
    /// differ in size, `count` says how many elements the whole has. Blocks.
    public func gather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        count: Int? = nil, root: Rank, timeout: Duration? = nil
    ) throws {
        try run(.gather(from: input, into: output, count: count, root: root).within(timeout))
    }

    /// Collects all ranks' `input` in the root's `output`, as many elements of each as `counts` say; only the root must
    /// know them. Blocks.
    public func gather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        counts: [Int], root: Rank, timeout: Duration? = nil
    ) throws {
        try run(.gather(from: input, into: output, counts: counts, root: root).within(timeout))
    }

    /// Replaces the elements on all ranks by the root's. Blocks.
    public func broadcast<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, root: Rank, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try run(.broadcast(buffer, root: root).compressed(compression).within(timeout))
    }

    /// Copies the root's `input` to every rank's `output`; other ranks' `input` is not looked at. Blocks.
    public func broadcast<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        root: Rank, compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try run(.broadcast(from: input, into: output, root: root).compressed(compression).within(timeout))
    }

    /// Hands each rank its share of the root's elements, in its place in a buffer as large as the whole. Blocks.
    public func scatter<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: [Int]? = nil, root: Rank,
        timeout: Duration? = nil
    ) throws {
        try run(.scatter(buffer, counts: counts, root: root).within(timeout))
    }

    /// Hands each rank, in `output`, its share of the root's `input`; other ranks' may be empty. Where the ranks' shares
    /// differ in size, `count` says how many elements the whole has. Blocks.
    public func scatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        count: Int? = nil, root: Rank, timeout: Duration? = nil
    ) throws {
        try run(.scatter(from: input, into: output, count: count, root: root).within(timeout))
    }

    /// Hands each rank, in `output`, as many elements of the root's `input` as `counts` say; only the root must know
    /// them. Blocks.
    public func scatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        counts: [Int], root: Rank, timeout: Duration? = nil
    ) throws {
        try run(.scatter(from: input, into: output, counts: counts, root: root).within(timeout))
    }

    /// Sends each rank a block, and puts in its place the block that came from that rank. Blocks.
    public func allToAll<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, timeout: Duration? = nil
    ) throws {
        try run(.allToAll(buffer).within(timeout))
    }

    /// Sends each rank a block of `input`, and collects the blocks that came from them in `output`. Blocks.
    public func allToAll<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        timeout: Duration? = nil
    ) throws {
        try run(.allToAll(from: input, into: output).within(timeout))
    }

    /// Sends rank r `counts[r]` elements of `input`, and collects the `receiveCounts[r]` that came from it in `output`.
    /// Blocks.
    public func allToAll<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, counts: [Int],
        into output: UnsafeMutableBufferPointer<Element>, receiveCounts: [Int], timeout: Duration? = nil
    ) throws {
        try run(
            .allToAll(from: input, counts: counts, into: output, receiveCounts: receiveCounts).within(timeout)
        )
    }

    /// Sends elements to one rank, which receives as many with the same tag. Blocks, it may be until then.
    public func send<Element: CollectiveElement>(
        _ buffer: UnsafeBufferPointer<Element>, to peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) throws {
        try run(.send(buffer, to: peer, tag: tag).within(timeout))
    }

    /// Receives as many elements as `buffer` has from one rank, which sends them with the same tag. Blocks.
    public func receive<Element: CollectiveElement>(
        into buffer: UnsafeMutableBufferPointer<Element>, from peer: Rank, tag: UInt32 = 0,
        timeout: Duration? = nil
    ) throws {
        try run(.receive(into: buffer, from: peer, tag: tag).within(timeout))
    }

    /// Returns on no rank before all have called it. Blocks.
    public func barrier(timeout: Duration? = nil) throws {
        try run(.barrier().within(timeout))
    }
}
