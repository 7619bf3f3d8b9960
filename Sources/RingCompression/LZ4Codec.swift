#if LZ4
    package import RingCore
    import RingKernels

    /// LZ4 for elements of any type, without loss.
    ///
    /// Elements are taken apart into byte planes where that compresses better, have their zeros left out where that is
    /// shorter still, and are sent as they are where nothing helps; a few pieces of the segment are tried to find out. Dense
    /// float32 gains next to nothing, since the lower bytes of its significands are random; zeros and repeated numbers gain
    /// much.
    package struct LZ4Codec: Codec {
        package let dataType: DataType
        private let planes: PlanesKernel?

        package init(_ dataType: DataType) {
            self.dataType = dataType
            planes = PlanesKernel(elementSize: dataType.byteCount)
        }

        package var code: UInt8 { Compression.lz4.code }
        package var name: String { Compression.lz4.name }
        package var blockSize: Int { 1 }

        package func largestByteCount(_ count: Int) -> Int {
            LZ4Block.largestByteCount(count * dataType.byteCount)
        }

        package func exactByteCount(_ count: Int) -> Int? { nil }
        package func errorBound(largest: Float) -> Double { 0 }

        package func encode(
            _ source: UnsafeRawPointer, count: Int, into destination: UnsafeMutableRawPointer,
            at position: EncodingPosition
        ) -> Int {
            let byteCount = count * dataType.byteCount
            return withUnsafeTemporaryAllocation(
                byteCount: max(byteCount, LZ4Block.scratchBytes), alignment: 64
            ) { scratch in
                let scratch = scratch.baseAddress!
                let form = LZ4Block.promisingForm(
                    source, byteCount, elementSize: dataType.byteCount, scratch: scratch,
                    split: planes.map { planes in { planes.split($0, $1, count: $2) } })
                if form == .compressedPlanes { planes!.split(scratch, source, count: count) }
                return LZ4Block.encode(
                    form == .compressedPlanes ? UnsafeRawPointer(scratch) : source, byteCount, as: form,
                    raw: source, elementSize: dataType.byteCount, into: destination)
            }
        }

        package func decode(
            _ source: UnsafeRawBufferPointer, count: Int, into destination: UnsafeMutableRawPointer
        ) throws(MalformedSegment) {
            let byteCount = count * dataType.byteCount
            if source.first == LZ4Block.Form.sparse.rawValue, planes != nil {
                guard
                    SparseElements.decode(
                        UnsafeRawBufferPointer(rebasing: source.dropFirst()), count: count,
                        elementSize: dataType.byteCount, into: destination)
                else {
                    throw MalformedSegment(
                        "a segment of \(source.count) bytes in \(name), without zeros, that are not those of \(count) elements"
                    )
                }
                return
            }
            let isPlanes = source.first == LZ4Block.Form.compressedPlanes.rawValue
            guard isPlanes else {
                _ = try LZ4Block.decode(
                    source, into: UnsafeMutableRawBufferPointer(start: destination, count: byteCount),
                    name: name)
                return
            }
            guard let planes else {
                throw MalformedSegment("a segment in \(name) of planes, which \(dataType.name) does not have")
            }
            try withScratch(byteCount) { scratch throws(MalformedSegment) in
                _ = try LZ4Block.decode(source, into: scratch, name: name)
                if count > 0 { planes.join(destination, scratch.baseAddress!, count: count) }
            }
        }
    }

    /// LZ4 behind a codec of float32 whose segments have a fixed size: for gradients most of whose elements are rounded
    /// to the same few numbers.
    package struct LZ4StageCodec: AddingCodec {
        package let code: UInt8
        package let name: String
        private let first: any AddingCodec

        package init(_ first: any AddingCodec, code: UInt8, name: String) {
            precondition(first.exactByteCount(1) != nil, "the first stage's segments must have a fixed size")
            self.first = first
            self.code = code
            self.name = name
        }

        package var dataType: DataType { .float32 }
        package var blockSize: Int { first.blockSize }

        package func largestByteCount(_ count: Int) -> Int {
            LZ4Block.largestByteCount(first.largestByteCount(count))
        }

        package func exactByteCount(_ count: Int) -> Int? { nil }
        package func errorBound(largest: Float) -> Double { first.errorBound(largest: largest) }

        package func encode(
            _ source: UnsafeRawPointer, count: Int, into destination: UnsafeMutableRawPointer,
            at position: EncodingPosition
        ) -> Int {
            let room = max(first.largestByteCount(count), LZ4Block.scratchBytes)
            return withUnsafeTemporaryAllocation(byteCount: 2 * room, alignment: 64) { scratch in
                let encoded = scratch.baseAddress!
                let byteCount = first.encode(source, count: count, into: encoded, at: position)
                return compress(encoded, byteCount, into: destination, scratch: encoded + room)
            }
        }

        package func encode(
            _ own: UnsafeRawPointer, adding received: UnsafeRawBufferPointer?,
            error: UnsafeMutableRawPointer?,
            count: Int, into destination: UnsafeMutableRawPointer, at position: EncodingPosition
        ) throws(MalformedSegment) -> Int {
            let room = max(first.largestByteCount(count), LZ4Block.scratchBytes)
            return try withScratch(2 * room) { scratch throws(MalformedSegment) in
                let encoded = scratch.baseAddress!
                var decompressed: UnsafeRawBufferPointer?
                if let received {
                    let place = UnsafeMutableRawBufferPointer(
                        start: encoded + room, count: first.exactByteCount(count)!)
                    try decompress(received, into: place)
                    decompressed = UnsafeRawBufferPointer(place)
                }
                let byteCount = try first.encode(
                    own, adding: decompressed, error: error, count: count, into: encoded, at: position)
                return compress(encoded, byteCount, into: destination, scratch: encoded + room)
            }
        }

        package func decode(
            _ source: UnsafeRawBufferPointer, count: Int, into destination: UnsafeMutableRawPointer
        ) throws(MalformedSegment) {
            try withScratch(first.exactByteCount(count)!) { scratch throws(MalformedSegment) in
                try decompress(source, into: scratch)
                try first.decode(UnsafeRawBufferPointer(scratch), count: count, into: destination)
            }
        }

        package func decode(
            _ source: UnsafeRawBufferPointer, count: Int, adding own: UnsafeRawPointer,
            into destination: UnsafeMutableRawPointer
        ) throws(MalformedSegment) {
            try withScratch(first.exactByteCount(count)!) { scratch throws(MalformedSegment) in
                try decompress(source, into: scratch)
                try first.decode(
                    UnsafeRawBufferPointer(scratch), count: count, adding: own, into: destination)
            }
        }

        private func compress(
            _ encoded: UnsafeRawPointer, _ byteCount: Int, into destination: UnsafeMutableRawPointer,
            scratch: UnsafeMutableRawPointer
        ) -> Int {
            let form = LZ4Block.promisingForm(
                encoded, byteCount, elementSize: 1, scratch: scratch, split: nil)
            return LZ4Block.encode(encoded, byteCount, as: form, raw: encoded, into: destination)
        }

        private func decompress(
            _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
        ) throws(MalformedSegment) {
            guard try LZ4Block.decode(source, into: destination, name: name) != .compressedPlanes else {
                throw MalformedSegment("a segment in \(name) of planes, which it does not have")
            }
        }
    }

    /// Temporary memory for a body that throws what is malformed.
    private func withScratch<Result>(
        _ byteCount: Int, _ body: (UnsafeMutableRawBufferPointer) throws(MalformedSegment) -> Result
    ) throws(MalformedSegment) -> Result {
        let outcome = withUnsafeTemporaryAllocation(byteCount: max(1, byteCount), alignment: 64) { scratch in
            Swift.Result { () throws(MalformedSegment) in
                try body(UnsafeMutableRawBufferPointer(rebasing: scratch[..<byteCount]))
            }
        }
        return try outcome.get()
    }
#endif
