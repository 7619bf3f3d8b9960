import RingCompression
import RingCore

extension CodecConformance {
    /// Pairs of numbers to add, some of which are not finite.
    private func pairs(_ count: Int) -> [(own: [Float], received: [Float])] {
        var samples = Samples(seed: UInt64(count) &+ 99)
        return Samples.Spread.allCases.flatMap { spread in
            let own = samples.floats(count, spread), received = samples.floats(count, .even)
            guard count > 2 else { return [(own: own, received: received)] }
            var broken = own
            broken[count / 2] = .nan
            broken[0] = .infinity
            return [(own: own, received: received), (own: broken, received: received)]
        }
    }

    private func sums(_ left: [Float], _ right: [Float]) -> [Float] {
        // As reductions do it: a NaN is the canonical one.
        zip(left, right).map { ($0 + $1).isNaN ? Float(bitPattern: 0x7FC0_0000) : $0 + $1 }
    }

    func addsAsItDecodes() throws {
        guard let codec = codec as? any AddingCodec else { return }
        for count in counts {
            for (own, received) in pairs(count) {
                let segment = try encode(bytes(received))
                let expected = try sums(own, floats(decode(segment, count: count)))
                let memory = GuardedMemory(capacity: 4 * count)
                let target = memory.last(4 * count)
                target.copyBytes(from: bytes(own))
                let source = GuardedMemory(capacity: segment.count)
                try codec.decode(
                    source.last(segment), count: count, adding: target.baseAddress!, into: target.baseAddress!
                )
                try expect(
                    Array(target) == bytes(expected), "\(count) elements added in place are not their sums")
                var apart = [UInt8](repeating: 0, count: 4 * count + 1)
                try apart.withUnsafeMutableBytes { apart in
                    try bytes(own).withUnsafeBytes { own in
                        try codec.decode(
                            source.last(segment), count: count,
                            adding: own.baseAddress ?? UnsafeRawPointer(apart.baseAddress!),
                            into: apart.baseAddress!)
                    }
                }
                try expect(
                    apart.dropLast() == bytes(expected)[...],
                    "\(count) elements added apart are not their sums")
            }
        }
    }

    func addsAsItEncodes() throws {
        guard codec is any AddingCodec else { return }
        for count in counts {
            for (own, received) in pairs(count) {
                let segment = try encode(bytes(received))
                let expected = try encode(bytes(sums(own, floats(decode(segment, count: count)))))
                let fused = try encodeSum(own, adding: segment, error: nil).segment
                try expect(fused == expected, "\(count) elements are encoded otherwise as they are added")
                let alone = try encodeSum(own, adding: nil, error: nil).segment
                try expect(
                    alone == (try encode(bytes(own))),
                    "\(count) elements with nothing added are encoded otherwise")
            }
        }
    }

    func keepsErrors() throws {
        guard codec is any AddingCodec else { return }
        for count in counts {
            var samples = Samples(seed: UInt64(count))
            let error = samples.floats(count, .even).map { $0 * 0x1p-10 }
            for (own, received) in pairs(count) {
                let segment = try encode(bytes(received))
                let decoded = try floats(decode(segment, count: count))
                let total = sums(sums(own, decoded), error)
                let (result, kept) = try encodeSum(own, adding: segment, error: error)
                let arrived = try floats(decode(result, count: count))
                try expect(
                    result == encode(bytes(total)), "\(count) elements with errors are encoded otherwise")
                for index in 0..<count {
                    let difference = total[index] - arrived[index]
                    let expected = difference.isFinite ? difference : 0
                    try expect(
                        kept![index] == expected,
                        "the error of element \(index) is kept as \(kept![index]), not as \(expected)")
                }
            }
        }
    }

    /// The fused pass, over memory that ends where it must not go on.
    private func encodeSum(
        _ own: [Float], adding segment: [UInt8]?, error: [Float]?
    ) throws -> (segment: [UInt8], error: [Float]?) {
        let codec = codec as! any AddingCodec
        let count = own.count
        let largest = codec.largestByteCount(count)
        let memory = (
            GuardedMemory(capacity: 4 * count), GuardedMemory(capacity: segment?.count ?? 0),
            GuardedMemory(capacity: 4 * count), GuardedMemory(capacity: largest)
        )
        let kept = error.map { error in
            let kept = memory.2.last(4 * count)
            kept.copyBytes(from: bytes(error))
            return kept
        }
        let written = try codec.encode(
            memory.0.last(bytes(own)).baseAddress!, adding: segment.map { memory.1.last($0) },
            error: kept?.baseAddress, count: count, into: memory.3.last(largest).baseAddress!,
            at: EncodingPosition())
        return (Array(memory.3.last(largest).prefix(written)), kept.map { floats(Array($0)) })
    }
}
