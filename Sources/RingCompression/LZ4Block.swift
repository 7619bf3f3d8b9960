#if LZ4
    import CLZ4

    /// Bytes as LZ4 makes them, or as they are where that does not pay: a byte that says which, then the rest.
    enum LZ4Block {
        /// What the first byte says.
        enum Form: UInt8 {
            /// As they are.
            case raw = 0
            /// A block of LZ4.
            case compressed = 1
            /// A block of LZ4, of byte planes.
            case compressedPlanes = 2
            /// Which elements are not zero, and those: see ``SparseElements``.
            case sparse = 3
        }

        /// What pieces of the source are tried, to find out whether compressing the whole would pay.
        private static let sampleBytes = 4096
        private static let sampleCount = 3
        /// From this share of its bytes on, a block is left as it is.
        private static let worthwhile = 0.97

        /// The most bytes that a segment of so many can take.
        static func largestByteCount(_ byteCount: Int) -> Int { byteCount + 1 }

        /// Compresses into at most so many bytes; 0 if they do not suffice.
        static func compress(
            _ source: UnsafeRawPointer, _ byteCount: Int, into destination: UnsafeMutableRawPointer,
            atMost limit: Int
        ) -> Int {
            guard byteCount > 0, byteCount <= LZ4_MAX_INPUT_SIZE, limit > 0 else { return 0 }
            let written = LZ4_compress_default(
                source.assumingMemoryBound(to: CChar.self), destination.assumingMemoryBound(to: CChar.self),
                Int32(byteCount), Int32(min(limit, Int(Int32.max))))
            return Int(written)
        }

        /// Writes the form, and the bytes in that form. Returns the bytes written.
        static func encode(
            _ source: UnsafeRawPointer, _ byteCount: Int, as form: Form, raw: UnsafeRawPointer,
            elementSize: Int = 1, into destination: UnsafeMutableRawPointer
        ) -> Int {
            if form != .raw {
                let limit = Int(Double(byteCount) * worthwhile)
                let written =
                    form == .sparse
                    ? SparseElements.encode(
                        source, count: byteCount / elementSize, elementSize: elementSize,
                        into: destination + 1, atMost: limit)
                    : compress(source, byteCount, into: destination + 1, atMost: limit)
                if written > 0 {
                    destination.storeBytes(of: form.rawValue, as: UInt8.self)
                    return written + 1
                }
            }
            destination.storeBytes(of: Form.raw.rawValue, as: UInt8.self)
            (destination + 1).copyMemory(from: raw, byteCount: byteCount)
            return byteCount + 1
        }

        /// Fills the destination with a segment's bytes, and says in which form they were.
        static func decode(
            _ segment: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer, name: String
        ) throws(MalformedSegment) -> Form {
            guard let first = segment.first, let form = Form(rawValue: first) else {
                throw MalformedSegment(
                    "a segment in \(name) "
                        + (segment.first.map { "of the unknown form \($0)" } ?? "without its first byte"))
            }
            let body = UnsafeRawBufferPointer(rebasing: segment.dropFirst())
            if form == .raw {
                guard body.count == destination.count else {
                    throw MalformedSegment(
                        "a raw segment of \(body.count) bytes in \(name) where \(destination.count) belong")
                }
                destination.copyMemory(from: body)
                return form
            }
            guard form != .sparse else {
                throw MalformedSegment("a segment in \(name) without zeros, which is not for its elements")
            }
            var written: Int32 = -1
            if let from = body.baseAddress, let to = destination.baseAddress, destination.count > 0,
                let size = Int32(exactly: body.count), let room = Int32(exactly: destination.count)
            {
                written = LZ4_decompress_safe(
                    from.assumingMemoryBound(to: CChar.self), to.assumingMemoryBound(to: CChar.self), size,
                    room)
            }
            guard Int(written) == destination.count else {
                throw MalformedSegment(
                    "a segment of \(segment.count) bytes in \(name) that does not hold the \(destination.count) bytes "
                        + "that belong there")
            }
            return form
        }

        /// The form that promises the fewest bytes, by compressing a few pieces.
        ///
        /// - Parameters:
        ///   - scratch: Room for two times ``sampleSpace`` bytes.
        ///   - split: Takes so many elements apart into planes; nil: elements have one byte.
        static func promisingForm(
            _ source: UnsafeRawPointer, _ byteCount: Int, elementSize: Int, scratch: UnsafeMutableRawPointer,
            split: ((UnsafeMutableRawPointer, UnsafeRawPointer, Int) -> Void)?
        ) -> Form {
            guard byteCount > 0 else { return .raw }
            let piece = min(byteCount, sampleBytes) / elementSize * elementSize
            let pieces = byteCount <= sampleCount * piece ? max(1, byteCount / piece) : sampleCount
            var (plain, planes, sparse) = (0, 0, 0)
            for index in 0..<pieces {
                let last = (byteCount - piece) / elementSize
                let start = source + (pieces == 1 ? 0 : last * index / (pieces - 1)) * elementSize
                let written = compress(start, piece, into: scratch, atMost: piece)
                plain += written > 0 ? written : piece
                guard let split else { continue }
                let count = piece / elementSize
                let zeros = SparseElements.zeros(start, count, elementSize: elementSize)
                sparse += SparseElements.bitsByteCount(count) + (count - zeros) * elementSize
                split(scratch + sampleBytes, start, piece / elementSize)
                let ofPlanes = compress(scratch + sampleBytes, piece, into: scratch, atMost: piece)
                planes += ofPlanes > 0 ? ofPlanes : piece
            }
            let limit = Int(Double(pieces * piece) * worthwhile)
            if split != nil, sparse < min(plain, planes), sparse <= limit { return .sparse }
            if split != nil, planes < plain, planes <= limit { return .compressedPlanes }
            return plain <= limit ? .compressed : .raw
        }

        /// The memory that ``promisingForm(_:_:elementSize:scratch:split:)`` uses.
        static let scratchBytes = 2 * sampleBytes
    }
#endif
