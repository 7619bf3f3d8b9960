public import RingCore

// Spans, blocking. There are no asynchronous forms: a span is bound to the scope that lent it, which an operation could
// outlive.

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place. Blocks.
    public func allReduce<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, _ op: ReductionOperator, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try allReduce($0, op, compression: compression, timeout: timeout)
        }
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many. Blocks.
    public func allReduce<Element: CollectiveElement>(
        from input: Span<Element>, into output: inout MutableSpan<Element>, _ op: ReductionOperator,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try input.withUnsafeBufferPointer { input in
            try output.withUnsafeMutableBufferPointer { output in
                try allReduce(from: input, into: output, op, compression: compression, timeout: timeout)
            }
        }
    }

    /// Replaces the root's elements by the combinations of all ranks'; other ranks' stay as they are. Blocks.
    public func reduce<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, _ op: ReductionOperator, root: Rank,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try reduce($0, op, root: root, compression: compression, timeout: timeout)
        }
    }

    /// Combines all ranks' elements; this rank's share is left in its place, the rest is undefined. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try reduceScatter($0, op, counts: counts, compression: compression, timeout: timeout)
        }
    }

    /// Writes this rank's share of the combinations of all ranks' elements to `output`. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        from input: Span<Element>, into output: inout MutableSpan<Element>, _ op: ReductionOperator,
        counts: [Int]? = nil, compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try input.withUnsafeBufferPointer { input in
            try output.withUnsafeMutableBufferPointer { output in
                try reduceScatter(
                    from: input, into: output, op, counts: counts, compression: compression, timeout: timeout)
            }
        }
    }

    /// Collects all ranks' shares; this rank's is at its place before. Blocks.
    public func allGather<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, counts: [Int]? = nil, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try allGather($0, counts: counts, compression: compression, timeout: timeout)
        }
    }

    /// Collects all ranks' `input` in `output`, by rank. Blocks.
    public func allGather<Element: CollectiveElement>(
        from input: Span<Element>, into output: inout MutableSpan<Element>, counts: [Int]? = nil,
        compression: Compression = .none, timeout: Duration? = nil
    ) throws {
        try input.withUnsafeBufferPointer { input in
            try output.withUnsafeMutableBufferPointer { output in
                try allGather(
                    from: input, into: output, counts: counts, compression: compression, timeout: timeout)
            }
        }
    }

    /// Collects all ranks' shares, which are at their places before, in the root's span. Blocks.
    public func gather<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, counts: [Int]? = nil, root: Rank, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try gather($0, counts: counts, root: root, timeout: timeout)
        }
    }

    /// Replaces the elements on all ranks by the root's. Blocks.
    public func broadcast<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, root: Rank, compression: Compression = .none,
        timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try broadcast($0, root: root, compression: compression, timeout: timeout)
        }
    }

    /// Hands each rank its share of the root's elements, in its place. Blocks.
    public func scatter<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, counts: [Int]? = nil, root: Rank, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try scatter($0, counts: counts, root: root, timeout: timeout)
        }
    }

    /// Sends each rank a block, and puts in its place the block that came from that rank. Blocks.
    public func allToAll<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer { try allToAll($0, timeout: timeout) }
    }

    /// Sends each rank a block of `input`, and collects the blocks that came from them in `output`. Blocks.
    public func allToAll<Element: CollectiveElement>(
        from input: Span<Element>, into output: inout MutableSpan<Element>, timeout: Duration? = nil
    ) throws {
        try input.withUnsafeBufferPointer { input in
            try output.withUnsafeMutableBufferPointer { output in
                try allToAll(from: input, into: output, timeout: timeout)
            }
        }
    }

    /// Sends elements to one rank, which receives as many with the same tag. Blocks, it may be until then.
    public func send<Element: CollectiveElement>(
        _ span: Span<Element>, to peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeBufferPointer { try send($0, to: peer, tag: tag, timeout: timeout) }
    }

    /// Receives as many elements as the span has from one rank, which sends them with the same tag. Blocks.
    public func receive<Element: CollectiveElement>(
        into span: inout MutableSpan<Element>, from peer: Rank, tag: UInt32 = 0, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer {
            try receive(into: $0, from: peer, tag: tag, timeout: timeout)
        }
    }
}
