public import RingCore

// Operations that hand out what the root has.

extension CollectiveOperation {
    /// Copies the root's elements to all ranks.
    public static func broadcast<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        broadcast(UnsafeMutableRawBufferPointer(buffer), Element.dataType, root: root)
            .compressed(compression)
    }

    /// Copies the root's `input` to every rank's `output`. Other ranks' `input` is not looked at and may be empty.
    public static func broadcast<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        broadcast(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType,
            root: root
        )
        .compressed(compression)
    }

    /// Hands each rank its share of the root's elements.
    ///
    /// On every rank `buffer` is as large as the whole. Afterwards the rank's share is at its place in it,
    /// `Partition(count, worldSize)[rank]`, or as `counts` say; the rest stays as it is.
    public static func scatter<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: [Int]? = nil, root: Rank
    ) -> CollectiveOperation {
        scatter(UnsafeMutableRawBufferPointer(buffer), Element.dataType, counts: counts, root: root)
    }

    /// Hands each rank, in `output`, its share of the root's `input`. Other ranks' `input` is not looked at and may be
    /// empty.
    ///
    /// The shares are those of `Partition(count, worldSize)`. Where `count`, the elements of the whole, is not given, it
    /// is the root's `input.count`, and `output.count * worldSize` on other ranks: give it where the ranks' shares
    /// differ in size.
    public static func scatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        count: Int? = nil, root: Rank
    ) -> CollectiveOperation {
        scatter(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, count: count, root: root)
    }

    /// Hands each rank, in `output`, its share of the root's `input`, as many elements as `counts` say.
    ///
    /// Only the root must know them; elsewhere `counts` may be empty, and `input` too.
    public static func scatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        counts: [Int], root: Rank
    ) -> CollectiveOperation {
        scatter(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, counts: counts, root: root)
    }
}

// MARK: Elements whose type is known when the program runs

extension CollectiveOperation {
    /// As the typed form; `bytes` holds elements of `dataType`.
    public static func broadcast(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(.broadcast, dataType, root: root, output: bytes)
            .compressed(compression)
    }

    /// As the typed form.
    public static func broadcast(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(.broadcast, dataType, root: root, input: input, output: output)
            .compressed(compression)
    }

    /// As the typed form.
    public static func scatter(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, counts: [Int]? = nil, root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(
            .scatter, dataType, root: root, output: bytes, sizes: counts.map { .counts($0) })
    }

    /// As the typed form; `count` is in elements.
    public static func scatter(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        count: Int? = nil, root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(
            .scatter, dataType, root: root, input: input, output: output, sizes: count.map { .even(of: $0) })
    }

    /// As the typed form.
    public static func scatter(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        counts: [Int], root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(
            .scatter, dataType, root: root, input: input, output: output, sizes: .counts(counts))
    }
}
