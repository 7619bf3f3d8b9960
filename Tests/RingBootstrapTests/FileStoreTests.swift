import RingCore
import Testing

@testable import RingBootstrap

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite(.timeLimit(.minutes(1)))
struct FileStoreTests {
    @Test func namesOfFilesAreSafeAndReversible() {
        var keys = (0..<256).map { String(decoding: [UInt8($0 & 0x7f), UInt8(ascii: "x")], as: UTF8.self) }
        keys += ["", ".", "..", "a/b/c", "é", String(repeating: "/é", count: 60)]
        keys += (1...StoreLimits.keyBytes).map { String(repeating: "/", count: $0) }
        for key in Set(keys) {
            let name = FileStore.fileName(of: key)
            #expect(FileStore.key(ofFile: name) == key)
            #expect(name.utf8.count <= 245)
            #expect(!name.contains("/") && !name.hasPrefix("."))
        }
        #expect(Set(Set(keys).map(FileStore.fileName)).count == Set(keys).count)
        for other in [".new-1", "x", "", "+%", "+%g0", "+%4", "=/"] {
            #expect(FileStore.key(ofFile: other) == nil)
        }
    }

    @Test func jobsHaveFoldersOfTheirOwn() throws {
        let folder = TemporaryFolder()
        let a = try FileStore(directory: folder.path, job: "a/../b")
        let b = try FileStore(directory: folder.path, job: "b")
        try a.set("k", to: [1], by: ample)
        #expect(try b.setIfAbsent("k", to: [2], by: ample) == nil)
        #expect(
            try FileStore(directory: folder.path, job: "a/../b").setIfAbsent("k", to: [], by: ample) == [1])
    }

    @Test func aDirectoryThatCannotBeUsedIsNamed() throws {
        let folder = TemporaryFolder()
        let file = folder.path + "/file"
        close(open(file, O_CREAT | O_WRONLY, 0o600))
        for directory in [file, folder.path + "/no/such/parent"] {
            let error = try errorOf { try FileStore(directory: directory, job: "j") }
            #expect(error.code == .system)
            #expect(error.message.contains(directory))
        }
        #expect(try errorOf { try FileStore(directory: "", job: "j") }.code == .invalidConfiguration)
    }

    @Test func aDirectoryThatVanishesIsAnError() throws {
        let folder = TemporaryFolder()
        let store = try FileStore(directory: folder.path, job: "j")
        rmdir(store.folder)
        let error = try errorOf { try store.set("k", to: [], by: ample) }
        #expect(error.code == .system)
        #expect(error.message.contains(store.folder))
    }

    @Test func nothingIsLeftBesideTheKeys() throws {
        let folder = TemporaryFolder()
        let store = try FileStore(directory: folder.path, job: "j")
        try store.set("k", to: [1], by: ample)
        _ = try store.setIfAbsent("k", to: [2], by: ample)
        _ = try store.setIfAbsent("l", to: [2], by: ample)
        #expect(try store.removeAll(withPrefix: "", by: ample) == 2)
        #expect(rmdir(store.folder) == 0)
    }
}
