public import RingCore

// Operations that combine the ranks' elements.

extension CollectiveOperation {
    /// Replaces each element by the combination of all ranks' elements at its place.
    public static func allReduce<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator,
        compression: Compression = .none
    ) -> CollectiveOperation {
        allReduce(UnsafeMutableRawBufferPointer(buffer), Element.dataType, op)
            .compressed(compression)
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many elements.
    public static func allReduce<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator,
        compression: Compression = .none
    ) -> CollectiveOperation {
        allReduce(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, op
        )
        .compressed(compression)
    }

    /// Replaces the root's elements by the combinations of all ranks' elements; other ranks' buffers stay as they are.
    public static func reduce<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator, root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        reduce(UnsafeMutableRawBufferPointer(buffer), Element.dataType, op, root: root)
            .compressed(compression)
    }

    /// Writes the combinations of all ranks' elements in `input` to the root's `output`, which has as many elements.
    /// Other ranks' `output` is not touched and may be empty.
    public static func reduce<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator, root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        reduce(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, op, root: root
        )
        .compressed(compression)
    }

    /// Combines all ranks' elements; this rank's share of the result is left in its place in `buffer`, the rest of
    /// which is undefined afterwards.
    ///
    /// The share is `Partition(count, worldSize)[rank]`, or, with `counts`, which must be the same on all ranks, as
    /// many elements as they say, behind those of the lower ranks.
    public static func reduceScatter<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        reduceScatter(UnsafeMutableRawBufferPointer(buffer), Element.dataType, op, counts: counts)
            .compressed(compression)
    }

    /// Combines all ranks' elements in `input`; `output` takes this rank's share of the result, which has as many
    /// elements as `Partition(count, worldSize)[rank]`, or `counts`, say.
    public static func reduceScatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        reduceScatter(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, op, counts: counts
        )
        .compressed(compression)
    }
}

// MARK: Elements whose type is known when the program runs

extension CollectiveOperation {
    /// As the typed form; `bytes` holds elements of `dataType`.
    public static func allReduce(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, _ op: ReductionOperator,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(.allReduce, dataType, op: op, output: bytes)
            .compressed(compression)
    }

    /// As the typed form.
    public static func allReduce(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        _ op: ReductionOperator,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(.allReduce, dataType, op: op, input: input, output: output)
            .compressed(compression)
    }

    /// As the typed form.
    public static func reduce(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, _ op: ReductionOperator, root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(.reduce, dataType, op: op, root: root, output: bytes)
            .compressed(compression)
    }

    /// As the typed form.
    public static func reduce(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        _ op: ReductionOperator, root: Rank,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(.reduce, dataType, op: op, root: root, input: input, output: output)
            .compressed(compression)
    }

    /// As the typed form.
    public static func reduceScatter(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, _ op: ReductionOperator,
        counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(
            .reduceScatter, dataType, op: op, output: bytes, sizes: counts.map { .counts($0) }
        )
        .compressed(compression)
    }

    /// As the typed form.
    public static func reduceScatter(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        _ op: ReductionOperator, counts: [Int]? = nil,
        compression: Compression = .none
    ) -> CollectiveOperation {
        CollectiveOperation(
            .reduceScatter, dataType, op: op, input: input, output: output,
            sizes: counts.map { .counts($0) }
        )
        .compressed(compression)
    }
}
