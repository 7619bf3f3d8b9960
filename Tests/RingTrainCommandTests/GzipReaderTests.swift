import Testing

@testable import RingTrainCommand

@Suite struct GzipReaderTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func reason(_ path: String, limit: Int = 1 << 24) -> String {
        do {
            _ = try GzipReader.contents(ofFile: path, limit: limit)
            return "no error"
        } catch let error as DataError {
            #expect(error.path == path)
            return error.reason
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [0, 1, 3, 1_000, 65_535, 65_536, 1_100_000])
    func readsPlainAndCompressedFiles(count: Int) throws {
        let contents = RandomData.bytes(count, seed: 1)
        let plain = try folder.write(contents, to: "plain")
        let compressed = try folder.write(FileFormat.gzip(contents), to: "compressed")
        #expect(try GzipReader.contents(ofFile: plain, limit: count) == contents)
        #expect(try GzipReader.contents(ofFile: compressed, limit: count) == contents)
    }

    @Test func aStreamThatEndsEarlyIsTruncated() throws {
        let whole = FileFormat.gzip(RandomData.bytes(40, seed: 1))
        // With fewer than two bytes nothing shows that it is gzip.
        for count in 2..<whole.count {
            let path = try folder.write(Array(whole[..<count]), to: "short")
            #expect(
                reason(path) == "is truncated: its gzip stream ends early", "\(count) of \(whole.count) bytes"
            )
        }
    }

    @Test func aDamagedStreamIsRefused() throws {
        var bytes = FileFormat.gzip(RandomData.bytes(40, seed: 1))
        bytes[20] ^= 1
        #expect(reason(try folder.write(bytes, to: "damaged")).hasPrefix("is damaged: "))
    }

    @Test func aFileThatIsTooLargeIsRefused() throws {
        let contents = [UInt8](repeating: 7, count: 1_000)
        for bytes in [contents, FileFormat.gzip(contents)] {
            let path = try folder.write(bytes, to: "large")
            #expect(reason(path, limit: 999).hasPrefix("holds more than 999 bytes"))
            #expect(reason(path, limit: 1_000) == "no error")
        }
    }

    @Test func whatCannotBeReadIsNamed() {
        #expect(reason(folder.path + "/absent") == "cannot be opened: No such file or directory")
        #expect(reason(folder.path) == "cannot be read: Is a directory")
    }
}
