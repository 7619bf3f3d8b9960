public import RingCore

// Operations in which ranks send each other what is for one of them alone.

extension CollectiveOperation {
    /// Sends each rank a block of this rank's elements, and puts in its place the block that came from that rank.
    ///
    /// `buffer` is as large on all ranks and has a block a rank: block r goes to rank r and is replaced by what rank r
    /// sent here. Its count must be a multiple of the world size; for other sizes there is the form with counts.
    public static func allToAll<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>
    ) -> CollectiveOperation {
        allToAll(UnsafeMutableRawBufferPointer(buffer), Element.dataType)
    }

    /// Sends block r of `input` to rank r, and writes the block that came from rank r to block r of `output`.
    ///
    /// Both are as large, on all ranks, and their count is a multiple of the world size.
    public static func allToAll<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>
    ) -> CollectiveOperation {
        allToAll(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output), Element.dataType
        )
    }

    /// Sends `counts[r]` elements of `input` to rank r, and writes the `receiveCounts[r]` that came from it to
    /// `output`; both are in the order of the ranks.
    ///
    /// A rank's `counts[r]` must be what rank r has in its `receiveCounts` for it.
    public static func allToAll<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, counts: [Int],
        into output: UnsafeMutableBufferPointer<Element>, receiveCounts: [Int]
    ) -> CollectiveOperation {
        allToAll(
            from: UnsafeRawBufferPointer(input), counts: counts, into: UnsafeMutableRawBufferPointer(output),
            receiveCounts: receiveCounts, Element.dataType)
    }

    /// Sends elements to one rank, which must receive as many of the same type with the same tag.
    ///
    /// Messages with one tag between two ranks arrive in the order in which they were sent; with different tags they
    /// may be received in another order. To send and receive at once, start both as a group, see
    /// ``Communicator/start(group:)``: alone, a send may last until the peer receives.
    public static func send<Element: CollectiveElement>(
        _ buffer: UnsafeBufferPointer<Element>, to peer: Rank, tag: UInt32 = 0
    ) -> CollectiveOperation {
        send(UnsafeRawBufferPointer(buffer), Element.dataType, to: peer, tag: tag)
    }

    /// Receives from one rank what it sends with this tag, as many elements as `buffer` has.
    public static func receive<Element: CollectiveElement>(
        into buffer: UnsafeMutableBufferPointer<Element>, from peer: Rank, tag: UInt32 = 0
    ) -> CollectiveOperation {
        receive(into: UnsafeMutableRawBufferPointer(buffer), Element.dataType, from: peer, tag: tag)
    }
}

// MARK: Elements whose type is known when the program runs

extension CollectiveOperation {
    /// As the typed form; `bytes` holds elements of `dataType`.
    public static func allToAll(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType
    ) -> CollectiveOperation {
        CollectiveOperation(.allToAll, dataType, output: bytes)
    }

    /// As the typed form.
    public static func allToAll(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType
    ) -> CollectiveOperation {
        CollectiveOperation(.allToAll, dataType, input: input, output: output)
    }

    /// As the typed form.
    public static func allToAll(
        from input: UnsafeRawBufferPointer, counts: [Int], into output: UnsafeMutableRawBufferPointer,
        receiveCounts: [Int], _ dataType: DataType
    ) -> CollectiveOperation {
        CollectiveOperation(
            .allToAll, dataType, input: input, output: output,
            sizes: .exchange(sends: counts, receives: receiveCounts))
    }

    /// As the typed form.
    public static func send(
        _ bytes: UnsafeRawBufferPointer, _ dataType: DataType, to peer: Rank, tag: UInt32 = 0
    ) -> CollectiveOperation {
        CollectiveOperation(
            .sendReceive, dataType, input: bytes,
            output: UnsafeMutableRawBufferPointer(start: nil, count: 0),
            message: MessageRequest(direction: .send, peer: peer), tag: tag)
    }

    /// As the typed form.
    public static func receive(
        into bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, from peer: Rank, tag: UInt32 = 0
    ) -> CollectiveOperation {
        CollectiveOperation(
            .sendReceive, dataType, output: bytes,
            message: MessageRequest(direction: .receive, peer: peer), tag: tag)
    }
}
