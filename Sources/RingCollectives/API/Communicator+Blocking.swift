public import RingCore

// Memory of the caller's, blocking. The calling thread does the work itself if nothing else is going on. An array goes
// in as `array.mutableSpan`; the forms that take arrays themselves are asynchronous.

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place. Blocks.
    public func allReduce<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator, timeout: Duration? = nil
    ) throws {
        try run(.allReduce(buffer, op).within(timeout))
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many. Blocks.
    public func allReduce<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator, timeout: Duration? = nil
    ) throws {
        try run(.allReduce(from: input, into: output, op).within(timeout))
    }

    /// Combines all ranks' elements; this rank's share is left in its place, `Partition(count, worldSize)[rank]`, the
    /// rest is undefined. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator, timeout: Duration? = nil
    ) throws {
        try run(.reduceScatter(buffer, op).within(timeout))
    }

    /// Writes this rank's share of the combinations of all ranks' elements to `output`. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator, timeout: Duration? = nil
    ) throws {
        try run(.reduceScatter(from: input, into: output, op).within(timeout))
    }

    /// Collects all ranks' shares; this rank's is at its place, `Partition(count, worldSize)[rank]`, before. Blocks.
    public func allGather<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, timeout: Duration? = nil
    ) throws {
        try run(.allGather(buffer).within(timeout))
    }

    /// Collects all ranks' `input` in `output`, by rank. Blocks.
    public func allGather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        timeout: Duration? = nil
    ) throws {
        try run(.allGather(from: input, into: output).within(timeout))
    }

    /// Replaces the elements on all ranks by the root's. Blocks.
    public func broadcast<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, root: Rank, timeout: Duration? = nil
    ) throws {
        try run(.broadcast(buffer, root: root).within(timeout))
    }

    /// Copies the root's `input` to every rank's `output`; other ranks' `input` is not looked at. Blocks.
    public func broadcast<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        root: Rank,
        timeout: Duration? = nil
    ) throws {
        try run(.broadcast(from: input, into: output, root: root).within(timeout))
    }

    /// Returns on no rank before all have called it. Blocks.
    public func barrier(timeout: Duration? = nil) throws {
        try run(.barrier().within(timeout))
    }
}

// MARK: Spans

extension Communicator {
    /// Replaces each element by the combination of all ranks' elements at its place. Blocks.
    ///
    /// There is no asynchronous form: a span is bound to the scope that lent it, which an operation could outlive.
    public func allReduce<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, _ op: ReductionOperator, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer { try allReduce($0, op, timeout: timeout) }
    }

    /// Combines all ranks' elements; this rank's share is left in its place, the rest is undefined. Blocks.
    public func reduceScatter<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, _ op: ReductionOperator, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer { try reduceScatter($0, op, timeout: timeout) }
    }

    /// Collects all ranks' shares; this rank's is at its place before. Blocks.
    public func allGather<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer { try allGather($0, timeout: timeout) }
    }

    /// Replaces the elements on all ranks by the root's. Blocks.
    public func broadcast<Element: CollectiveElement>(
        _ span: inout MutableSpan<Element>, root: Rank, timeout: Duration? = nil
    ) throws {
        try span.withUnsafeMutableBufferPointer { try broadcast($0, root: root, timeout: timeout) }
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many. Blocks.
    public func allReduce<Element: CollectiveElement>(
        from input: Span<Element>, into output: inout MutableSpan<Element>, _ op: ReductionOperator,
        timeout: Duration? = nil
    ) throws {
        try input.withUnsafeBufferPointer { input in
            try output.withUnsafeMutableBufferPointer {
                try allReduce(from: input, into: $0, op, timeout: timeout)
            }
        }
    }
}
