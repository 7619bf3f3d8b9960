import RingCompression
import RingCore

extension CodecConformance {
    /// Elements of the codec's type to try, so many: any bytes, repeated ones, and for float32 numbers of all kinds.
    func elements(_ count: Int, seed: UInt64) -> [[UInt8]] {
        var samples = Samples(seed: seed)
        if codec.dataType == .float32 {
            let finite = Samples.Spread.allCases.map { bytes(samples.floats(count, $0)) }
            if !codec.isLossless { return finite }
            return finite + [samples.bytes(4 * count)]
        }
        let size = count * elementSize
        return [
            samples.bytes(size), [UInt8](repeating: 0, count: size),
            (0..<size).map { UInt8(truncatingIfNeeded: $0 % elementSize * 37) },
            samples.bytes(size).enumerated().map { $0.offset % elementSize == 0 ? $0.element : 9 },
        ]
    }

    func saysItsSize() throws {
        for count in counts {
            for elements in elements(count, seed: UInt64(count)) {
                let segment = try encode(elements)
                if let exact = codec.exactByteCount(count) {
                    try expect(
                        segment.count == exact, "\(count) elements take \(segment.count) bytes, \(exact) said"
                    )
                }
            }
        }
    }

    func staysWithinBound() throws {
        for count in counts {
            for (number, elements) in elements(count, seed: 7 &+ UInt64(count)).enumerated() {
                let arrived = try decode(encode(elements), count: count)
                if codec.isLossless {
                    try expect(arrived == elements, "sample \(number) of \(count) elements arrived otherwise")
                } else {
                    try expectWithinBound(floats(arrived), floats(elements), "sample \(number)")
                }
            }
        }
    }

    func repeatsItself() throws {
        for count in counts {
            for elements in elements(count, seed: 11 &+ UInt64(count)) {
                let position = EncodingPosition(sequence: 3, rank: 1, firstElement: 2 * codec.blockSize)
                let segment = try encode(elements, at: position)
                let decoded = try decode(segment, count: count)
                // At other addresses, none of them a multiple of anything.
                var source = [UInt8](repeating: 0, count: 1) + elements
                var encoded = [UInt8](repeating: 0, count: 3 + codec.largestByteCount(count))
                let written = encoded.withUnsafeMutableBytes { encoded in
                    source.withUnsafeBytes {
                        codec.encode(
                            $0.baseAddress! + 1, count: count, into: encoded.baseAddress! + 3, at: position)
                    }
                }
                try expect(
                    Array(encoded[3...].prefix(written)) == segment,
                    "\(count) elements are encoded in other bytes")
                source = [UInt8](repeating: 0xEE, count: 5 + elements.count)
                try source.withUnsafeMutableBytes { target in
                    try encoded.withUnsafeBytes {
                        try codec.decode(
                            UnsafeRawBufferPointer(rebasing: $0[3..<3 + written]), count: count,
                            into: target.baseAddress! + 5)
                    }
                }
                try expect(Array(source[5...]) == decoded, "\(count) elements are decoded otherwise")
                try expect(
                    source[..<5].allSatisfy { $0 == 0xEE }, "what is in front of the elements was written")
            }
        }
    }

    func encodesBlocksApart() throws {
        let block = codec.blockSize
        let count = 4 * block + block / 2 + 1
        for elements in elements(count, seed: 5) {
            let whole = try decode(encode(elements), count: count)
            for blocks in 1...3 {
                let first = blocks * block
                let low = Array(elements[..<(first * elementSize)]),
                    high = Array(elements[(first * elementSize)...])
                let parts =
                    try decode(encode(low), count: first)
                    + decode(encode(high, at: EncodingPosition(firstElement: first)), count: count - first)
                try expect(parts == whole, "\(blocks) blocks and the rest arrive otherwise than the whole")
            }
        }
    }

    func keepsZeros() throws {
        for count in counts {
            let zeros = [UInt8](repeating: 0, count: count * elementSize)
            let arrived = try decode(encode(zeros), count: count)
            try expect(arrived == zeros, "\(count) zeros arrive as something else")
        }
    }

    func keepsNaN() throws {
        guard codec.dataType == .float32 else { return }
        let count = 3 * codec.blockSize + 5
        for index in [0, codec.blockSize - 1, codec.blockSize, count - 1] {
            for nan: Float in [.nan, -.nan, .signalingNaN] {
                var samples = Samples(seed: UInt64(index))
                var values = samples.floats(count, .even)
                let untouched = try arrived(values)
                values[index] = nan
                let arrived = try arrived(values)
                let block = index / codec.blockSize
                for (other, value) in arrived.enumerated() {
                    let isHit = other / codec.blockSize == block && (!codec.isLossless || other == index)
                    try expect(
                        isHit ? value.isNaN : value == untouched[other],
                        "with a NaN at \(index), element \(other) arrives as \(value)")
                    if isHit, !codec.isLossless {
                        try expect(
                            value.bitPattern == 0x7FC0_0000,
                            "element \(other) is another NaN than the canonical one")
                    }
                }
            }
        }
    }

    func keepsInfinities() throws {
        guard codec.dataType == .float32 else { return }
        let count = 3 * codec.blockSize + 5
        for index in [0, codec.blockSize, count - 1] {
            for infinity: Float in [.infinity, -.infinity] {
                var samples = Samples(seed: UInt64(index))
                var values = samples.floats(count, .even)
                let untouched = try arrived(values)
                values[index] = infinity
                let arrived = try arrived(values)
                try expect(arrived[index] == infinity, "\(infinity) arrives as \(arrived[index])")
                for (other, value) in arrived.enumerated() where other != index {
                    let isNeighbour = other / codec.blockSize == index / codec.blockSize
                    try expect(
                        value == untouched[other] || (isNeighbour && value.isNaN),
                        "with \(infinity) at \(index), element \(other) arrives as \(value)")
                }
            }
        }
    }

    func managesExtremes() throws {
        guard codec.dataType == .float32 else { return }
        let count = 2 * codec.blockSize + 3
        let scales: [Float] = [
            0x1p-149, 0x1p-140, 0x1p-133, 0x1p-126, 0x1p-120, 0x1p-61, 0x1p-60, 0x1p100, 0x1p126,
            0x1.FFFFFEp127,
        ]
        for scale in scales {
            for spread in Samples.Spread.allCases where spread != .ties {
                var samples = Samples(seed: 1)
                var values = samples.floats(count, spread).map { $0 * scale }
                values[0] = scale
                values[count - 1] = -scale
                // Numbers that a cast makes infinite are no numbers of this codec's.
                guard codec.errorBound(largest: scale).isFinite else { continue }
                let arrived = try arrived(values)
                try expect(arrived.allSatisfy(\.isFinite), "numbers up to \(scale) arrive as infinite")
                try expectWithinBound(arrived, values, "numbers up to \(scale)")
            }
        }
        // One huge number takes the precision of its block and of no other.
        guard codec.errorBound(largest: 1e30).isFinite else { return }
        var samples = Samples(seed: 2)
        var values = samples.floats(count, .peaked)
        values[1] = 1e30
        try expectWithinBound(try arrived(values), values, "a huge number")
    }
}
