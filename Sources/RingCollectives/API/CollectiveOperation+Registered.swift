public import RingCore

// Operations on registered buffers: as those on plain memory, but that the buffer lives as long as the operation.

extension CollectiveOperation {
    /// Replaces each element by the combination of all ranks' elements at its place.
    public static func allReduce<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, compression: Compression = .none
    ) -> CollectiveOperation {
        allReduce(buffer.elements, op, compression: compression).keeping(buffer.memory)
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many elements.
    public static func allReduce<Element: CollectiveElement>(
        from input: RegisteredBuffer<Element>, into output: RegisteredBuffer<Element>,
        _ op: ReductionOperator,
        compression: Compression = .none
    ) -> CollectiveOperation {
        allReduce(from: input.reading, into: output.elements, op, compression: compression)
            .keeping(input.memory, output.memory)
    }

    /// Replaces the root's elements by the combinations of all ranks'; other ranks' buffers stay as they are.
    public static func reduce<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        reduce(buffer.elements, op, root: root, compression: compression).keeping(buffer.memory)
    }

    /// Combines all ranks' elements; this rank's share is left in its place, the rest is undefined.
    public static func reduceScatter<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        reduceScatter(buffer.elements, op, counts: counts, compression: compression).keeping(buffer.memory)
    }

    /// Writes this rank's share of the combinations of all ranks' elements in `input` to `output`.
    public static func reduceScatter<Element: CollectiveElement>(
        from input: RegisteredBuffer<Element>, into output: RegisteredBuffer<Element>,
        _ op: ReductionOperator,
        counts: [Int]? = nil, compression: Compression = .none
    ) -> CollectiveOperation {
        reduceScatter(
            from: input.reading, into: output.elements, op, counts: counts, compression: compression
        )
        .keeping(input.memory, output.memory)
    }

    /// Collects all ranks' shares; this rank's is at its place before.
    public static func allGather<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, counts: [Int]? = nil, compression: Compression = .none
    ) -> CollectiveOperation {
        allGather(buffer.elements, counts: counts, compression: compression).keeping(buffer.memory)
    }

    /// Collects all ranks' `input` in `output`, by rank.
    public static func allGather<Element: CollectiveElement>(
        from input: RegisteredBuffer<Element>, into output: RegisteredBuffer<Element>, counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        allGather(from: input.reading, into: output.elements, counts: counts, compression: compression)
            .keeping(input.memory, output.memory)
    }

    /// Collects all ranks' shares in the root's buffer; every rank's is as large as the whole and has the share at its
    /// place before.
    public static func gather<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, counts: [Int]? = nil, root: Rank
    ) -> CollectiveOperation {
        gather(buffer.elements, counts: counts, root: root).keeping(buffer.memory)
    }

    /// Replaces the elements on all ranks by the root's.
    public static func broadcast<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, root: Rank, compression: Compression = .none
    ) -> CollectiveOperation {
        broadcast(buffer.elements, root: root, compression: compression).keeping(buffer.memory)
    }

    /// Hands each rank its share of the root's elements, in its place in a buffer as large as the whole.
    public static func scatter<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, counts: [Int]? = nil, root: Rank
    ) -> CollectiveOperation {
        scatter(buffer.elements, counts: counts, root: root).keeping(buffer.memory)
    }

    /// Sends each rank a block, and puts in its place the block that came from that rank.
    public static func allToAll<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>
    ) -> CollectiveOperation {
        allToAll(buffer.elements).keeping(buffer.memory)
    }

    /// Sends each rank a block of `input`, and collects the blocks that came from them in `output`.
    public static func allToAll<Element: CollectiveElement>(
        from input: RegisteredBuffer<Element>, into output: RegisteredBuffer<Element>
    ) -> CollectiveOperation {
        allToAll(from: input.reading, into: output.elements).keeping(input.memory, output.memory)
    }

    /// Sends the elements to one rank, which receives as many with the same tag. Over RDMA a long message ends only once it
    /// has been received.
    public static func send<Element: CollectiveElement>(
        _ buffer: RegisteredBuffer<Element>, to peer: Rank, tag: UInt32 = 0
    ) -> CollectiveOperation {
        send(buffer.reading, to: peer, tag: tag).keeping(buffer.memory)
    }

    /// Receives as many elements as the buffer has from one rank, which sends them with the same tag.
    public static func receive<Element: CollectiveElement>(
        into buffer: RegisteredBuffer<Element>, from peer: Rank, tag: UInt32 = 0
    ) -> CollectiveOperation {
        receive(into: buffer.elements, from: peer, tag: tag).keeping(buffer.memory)
    }

    private func keeping(_ owners: BufferMemory...) -> CollectiveOperation {
        var copy = self
        copy.owners += owners
        return copy
    }
}

extension RegisteredBuffer {
    fileprivate var reading: UnsafeBufferPointer<Element> { UnsafeBufferPointer(elements) }
}
