import Crypto
import Foundation
import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// The file: eight bytes that say what it is, a version, the heading as a block of JSON, the float32s of the parameters, of
// the velocity and of each rank's residual, and the SHA-256 digest of all that. Numbers are little-endian.
extension Checkpoint {
    private static let mark = Array("ringckpt".utf8)
    private static let version: UInt32 = 1

    private struct Heading: Codable {
        var run: CheckpointedRun
        var epochs: Int
        var hasResiduals: Bool
    }

    /// The file's bytes.
    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let heading = Heading(run: run, epochs: epochs, hasResiduals: !residuals.isEmpty)
            var writer = ByteWriter(bytes: Self.mark)
            writer.integer(Self.version)
            writer.block(Array(try encoder.encode(heading)))
            for values in [parameters, velocity] + residuals {
                values.withUnsafeBytes { writer.bytes += $0 }
            }
            return writer.bytes + SHA256.hash(data: writer.bytes)
        }
    }

    /// Reads ``bytes``, for a run that is to go on from there. Throws why it cannot, in words that follow the file's name.
    init(_ bytes: [UInt8], for run: CheckpointedRun) throws(Flaw) {
        guard bytes.starts(with: Self.mark) else { throw Flaw("is no checkpoint of ringtrain") }
        let damaged = Flaw("is damaged, or was cut short")
        let digestSize = SHA256.byteCount
        guard bytes.count > digestSize,
            SHA256.hash(data: bytes.dropLast(digestSize)).elementsEqual(bytes.suffix(digestSize))
        else { throw damaged }
        var reader = ByteReader(Array(bytes.dropLast(digestSize).dropFirst(Self.mark.count)))
        guard let version = try? reader.integer(UInt32.self), version == Self.version else {
            throw Flaw("is a checkpoint of another version of ringtrain")
        }
        guard let block = try? reader.block(),
            let heading = try? JSONDecoder().decode(Heading.self, from: Data(block)), heading.epochs >= 0
        else { throw damaged }
        if let obstacle = run.obstacle(to: heading.run) { throw Flaw("cannot be resumed: \(obstacle)") }
        let count = run.parameterCount
        let values = Self.floats(reader.remainder())
        guard values.count == count * (heading.hasResiduals ? 2 + run.ranks : 2) else { throw damaged }
        let parts = stride(from: 0, to: values.count, by: count).map { Array(values[$0..<$0 + count]) }
        self.init(
            run: run, epochs: heading.epochs, parameters: parts[0], velocity: parts[1],
            residuals: Array(parts[2...]))
    }

    /// The float32s in bytes.
    static func floats(_ bytes: [UInt8]) -> [Float] {
        let size = MemoryLayout<Float>.stride
        return bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / size).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: Float.self) }
        }
    }

    /// What is wrong with a file.
    struct Flaw: Error, Equatable {
        var reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }
}

extension Checkpoint {
    /// Reads a file, for a run that is to go on from there up to so many epochs in all.
    static func read(_ path: String, for run: CheckpointedRun, epochs: Int) throws(DataError) -> Checkpoint {
        do {
            let checkpoint = try Checkpoint(
                try FileDescriptor.open(path).contents(atMost: .max), for: run)
            guard checkpoint.epochs <= epochs else {
                throw Flaw("cannot be resumed: \(checkpoint.epochs) epochs are done, --epochs is \(epochs)")
            }
            return checkpoint
        } catch let error as SystemError {
            throw DataError(path, "cannot be read: \(error.reason)")
        } catch let flaw as Flaw {
            throw DataError(path, flaw.reason)
        } catch {
            throw DataError(path, "\(error)")
        }
    }

    /// Writes a file: whatever happens meanwhile, it is the old one or the new one as a whole.
    func write(to path: String) throws {
        let temporary = path + ".new"
        do {
            let file = try FileDescriptor.forWriting(temporary)
            try file.write(try bytes)
            try SystemCall.check("fsync") { fsync(file.number) }
            try SystemCall.check("rename") { rename(temporary, path) }
        } catch let error as SystemError {
            unlink(temporary)
            throw DataError(path, "cannot be written: \(error.reason)")
        }
    }
}
