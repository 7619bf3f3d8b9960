public import RingCore

// Operations that collect what the ranks have.

extension CollectiveOperation {
    /// Collects all ranks' shares: before, this rank's is at its place in `buffer`; afterwards, all are.
    ///
    /// The share is `Partition(count, worldSize)[rank]`, or, with `counts`, which must be the same on all ranks, as
    /// many elements as they say, behind those of the lower ranks.
    public static func allGather<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        allGather(UnsafeMutableRawBufferPointer(buffer), Element.dataType, counts: counts)
            .compressed(compression)
    }

    /// Collects all ranks' shares: `input` has this rank's, as many elements as `Partition(output.count,
    /// worldSize)[rank]`, or `counts`, say; `output` takes all, by rank.
    public static func allGather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        allGather(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType,
            counts: counts
        )
        .compressed(compression)
    }

    /// Collects all ranks' shares on the root.
    ///
    /// On every rank `buffer` is as large as the whole, and before, the rank's share is at its place in it:
    /// `Partition(count, worldSize)[rank]`, or as `counts` say. Afterwards the root's holds all; the others' stay as
    /// they are.
    public static func gather<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: [Int]? = nil, root: Rank
    ) -> CollectiveOperation {
        gather(UnsafeMutableRawBufferPointer(buffer), Element.dataType, counts: counts, root: root)
    }

    /// Collects all ranks' `input` in the root's `output`, by rank. Other ranks' `output` is not touched and may be
    /// empty.
    ///
    /// The shares are those of `Partition(count, worldSize)`. Where `count`, the elements of the whole, is not given, it
    /// is the root's `output.count`, and `input.count * worldSize` on other ranks: give it where the ranks' shares
    /// differ in size.
    public static func gather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        count: Int? = nil, root: Rank
    ) -> CollectiveOperation {
        gather(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, count: count, root: root)
    }

    /// Collects all ranks' `input` in the root's `output`, by rank; each rank's has as many elements as `counts` say.
    ///
    /// Only the root must know them; elsewhere `counts` may be empty, and `output` too.
    public static func gather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        counts: [Int], root: Rank
    ) -> CollectiveOperation {
        gather(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, counts: counts, root: root)
    }
}

// MARK: Elements whose type is known when the program runs

extension CollectiveOperation {
    /// As the typed form; `bytes` holds elements of `dataType`.
    public static func allGather(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(.allGather, dataType, output: bytes, sizes: counts.map { .counts($0) })
            .compressed(compression)
    }

    /// As the typed form.
    public static func allGather(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(
            .allGather, dataType, input: input, output: output, sizes: counts.map { .counts($0) }
        )
        .compressed(compression)
    }

    /// As the typed form.
    public static func gather(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, counts: [Int]? = nil, root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(
            .gather, dataType, root: root, output: bytes, sizes: counts.map { .counts($0) })
    }

    /// As the typed form; `count` is in elements.
    public static func gather(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        count: Int? = nil, root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(
            .gather, dataType, root: root, input: input, output: output, sizes: count.map { .even(of: $0) })
    }

    /// As the typed form.
    public static func gather(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        counts: [Int], root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(
            .gather, dataType, root: root, input: input, output: output, sizes: .counts(counts))
    }
}
