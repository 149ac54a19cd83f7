using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Azure.Storage.Blobs.Models;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Storage.Tests.Models;

public sealed class PublishTests(AzuriteFixture azurite)
{
    private static readonly ModelName Demo = ModelName.Parse("demo");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PublishAsync_DemoModel_LaysItOutAsDesigned()
    {
        using TestCatalog test = new(azurite.ConnectionString);

        ModelView view = await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, progress: null, Cancel);

        byte[] gguf = await File.ReadAllBytesAsync(TestCatalog.DemoPath, Cancel);
        string digest = ModelDigest.Of(gguf);
        view.Weights.ShouldBe(digest);
        view.WeightsSize.ShouldBe(gguf.Length);
        view.Capabilities.ShouldBe(["completion", "tools"]);
        ModelDigest.Of(await test.ReadAsync(ModelPaths.Blob(digest))).ShouldBe(digest);
        byte[] manifest = await test.ReadAsync("manifests/registry.ollama.ai/library/demo/latest");
        view.Digest.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(manifest)));
        view.Size.ShouldBe(ModelManifest.Parse(manifest).Size);
        ModelChunks chunks = ModelChunks.Parse(await test.ReadAsync(ModelPaths.Chunks(digest)));
        chunks.Chunks.ShouldBe(gguf.Chunk(chunks.ChunkSize).Select(c => ModelDigest.Of(c)));
        chunks.Chunks.Count.ShouldBe(2);
    }

    [Fact]
    public async Task PublishAsync_FileOfManyBlocks_ArrivesWhole()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        byte[] large = new byte[21_000_000];
        new Random(7).NextBytes(large);
        (await File.ReadAllBytesAsync(TestCatalog.DemoPath, Cancel)).CopyTo(large, 0);
        ConcurrentQueue<PublishProgress> progress = [];

        ModelView view = await test.Catalog.PublishAsync(test.File("large.gguf", large), Demo, new Direct(progress), Cancel);

        ModelDigest.Of(await test.ReadAsync(ModelPaths.Blob(view.Weights))).ShouldBe(ModelDigest.Of(large));
        ModelChunks.Parse(await test.ReadAsync(ModelPaths.Chunks(view.Weights))).Chunks.Count.ShouldBe(6);
        progress.Last(p => p.Stage == PublishStage.Hashing).Completed.ShouldBe(large.Length);
        progress.Max(p => p.Stage == PublishStage.Uploading ? p.Completed : 0).ShouldBe(large.Length);
        progress.Last().Stage.ShouldBe(PublishStage.Published);
    }

    [Fact]
    public async Task PublishAsync_SameAgain_SendsNothingAndChangesNothing()
    {
        using TestCatalog test = new(azurite.ConnectionString, withCache: true);
        ModelView first = await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        test.Requests.Clear();
        ConcurrentQueue<PublishProgress> progress = [];

        ModelView second = await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, new Direct(progress), Cancel);

        second.Digest.ShouldBe(first.Digest);
        second.ModifiedAt.ShouldBe(first.ModifiedAt);
        test.Requests.Lines.ShouldNotContain(l => l.StartsWith("PUT", StringComparison.Ordinal) && l.Contains("sha256", StringComparison.Ordinal));
        progress.ShouldNotContain(p => p.Stage == PublishStage.Hashing);
        test.Requests.Lines.Count.ShouldBeLessThanOrEqualTo(6);
    }

    [Fact]
    public async Task PublishAsync_FileChangedSince_IsReadAgain()
    {
        using TestCatalog test = new(azurite.ConnectionString, withCache: true);
        byte[] gguf = await File.ReadAllBytesAsync(TestCatalog.DemoPath, Cancel);
        string path = test.File("a.gguf", gguf);
        ModelView first = await test.Catalog.PublishAsync(path, Demo, null, Cancel);
        gguf[^1] ^= 1;
        await File.WriteAllBytesAsync(path, gguf, Cancel);
        File.SetLastWriteTimeUtc(path, new DateTime(2031, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        ModelView second = await test.Catalog.PublishAsync(path, Demo, null, Cancel);

        second.Weights.ShouldBe(ModelDigest.Of(gguf));
        second.Weights.ShouldNotBe(first.Weights);
        (await test.Catalog.FindAsync(Demo, Cancel))!.Weights.ShouldBe(second.Weights);
    }

    [Fact]
    public async Task PublishAsync_SecondName_SharesTheBlob()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        test.Requests.Clear();

        await test.Catalog.PublishAsync(TestCatalog.DemoPath, ModelName.Parse("me/other:1"), null, Cancel);

        test.Requests.Lines.ShouldNotContain(l => l.StartsWith("PUT", StringComparison.Ordinal) && l.Contains("blobs/", StringComparison.Ordinal) && !l.Contains("comp=metadata", StringComparison.Ordinal));
        (await test.Catalog.ListAsync(Cancel)).Select(m => m.Name.ToString()).ShouldBe(["me/other:1", "demo:latest"], ignoreOrder: true);
    }

    [Fact]
    public async Task PublishAsync_NameInOtherCase_ReplacesTheOneThatStands()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, ModelName.Parse("Demo"), null, Cancel);

        await test.Catalog.PublishAsync(TestCatalog.DemoPath, ModelName.Parse("DEMO"), null, Cancel);

        (await test.Catalog.ListAsync(Cancel)).ShouldHaveSingleItem().Name.ToString().ShouldBe("Demo:latest");
        (await test.Catalog.FindAsync(ModelName.Parse("demo"), Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public async Task PublishAsync_InterruptedBeforeTheChunkList_IsMadeWholeByTheNext()
    {
        using TestCatalog test = new(azurite.ConnectionString, withCache: true);
        ModelView view = await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        await test.Container.DeleteBlobAsync(ModelPaths.Chunks(view.Weights), DeleteSnapshotsOption.None, cancellationToken: Cancel);

        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);

        ModelChunks.Parse(await test.ReadAsync(ModelPaths.Chunks(view.Weights))).Size.ShouldBe(view.WeightsSize);
    }

    [Fact]
    public async Task PublishAsync_BlocksOfAnUploadThatWasCutShort_AreNotInTheWayNorSentAgain()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        ModelBlobs blobs = new(test.Container);
        await test.Container.CreateIfNotExistsAsync(cancellationToken: Cancel);
        byte[] large = new byte[21_000_000];
        new Random(8).NextBytes(large);
        (await File.ReadAllBytesAsync(TestCatalog.DemoPath, Cancel)).CopyTo(large, 0);
        byte[] other = [.. large];
        other[^1] ^= 1;
        (await blobs.UploadAsync(ModelDigest.Of(large), PipeReader.Create(new MemoryStream(other)), Cancel)).ShouldBe(ModelDigest.Of(other));
        test.Requests.Clear();

        ModelView view = await test.Catalog.PublishAsync(test.File("large.gguf", large), Demo, null, Cancel);

        ModelDigest.Of(await test.ReadAsync(ModelPaths.Blob(view.Weights))).ShouldBe(ModelDigest.Of(large));
        test.Requests.Lines.Count(line => line.Contains("comp=block&", StringComparison.Ordinal)).ShouldBe(1, "the last block alone is another");
    }

    [Fact]
    public async Task PublishAsync_WhatIsNoModel_SaysWhyAndLeavesNothing()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        byte[] gguf = await File.ReadAllBytesAsync(TestCatalog.DemoPath, Cancel);
        (string Path, string Why)[] bad =
        [
            (test.File("text.gguf", "hello world"u8.ToArray()), "no GGUF"),
            (test.File("empty.gguf", []), "no GGUF"),
            (test.File("cut.gguf", gguf[..^1]), "cut off"),
            (test.File("header.gguf", gguf[..5000]), "cut off"),
            ("/nowhere/x.gguf", "cannot be read"),
            (Path.GetDirectoryName(Path.GetDirectoryName(TestCatalog.DemoPath))!, "no .gguf in the folder"),
            (Path.GetDirectoryName(test.File("other.gguf", gguf))!, "models in the folder"),
        ];

        foreach ((string path, string why) in bad)
        {
            ModelPublishException error = await Should.ThrowAsync<ModelPublishException>(() => test.Catalog.PublishAsync(path, Demo, null, Cancel));
            error.Message.ShouldContain(why);
            error.Message.ShouldContain(path);
        }
        (await test.Catalog.ListAsync(Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task PublishAsync_FolderOfASplitModel_IsTheOneModelThatItsPartsMake()
    {
        using TestCatalog test = new(azurite.ConnectionString, withCache: true);
        using TempFolder folder = new();
        GgufSpec spec = new() { Seed = 61 };
        GgufGenerator.Write(folder.File("whole.gguf"), spec);
        string parts = Directory.CreateDirectory(folder.File("parts")).FullName;
        IReadOnlyList<string> files = GgufGenerator.WriteSplit(parts, "random", spec, 3);

        ModelView published = await test.Catalog.PublishAsync(parts, Demo, null, Cancel);

        byte[] whole = await File.ReadAllBytesAsync(folder.File("whole.gguf"), Cancel);
        (published.Weights, published.WeightsSize).ShouldBe((ModelDigest.Of(whole), whole.Length));
        (await test.ReadAsync(ModelPaths.Blob(published.Weights))).ShouldBe(whole);
        published.ParameterCount.ShouldBe((await test.Catalog.PublishAsync(folder.File("whole.gguf"), ModelName.Parse("whole"), null, Cancel)).ParameterCount);
        test.Requests.Clear();
        (await test.Catalog.PublishAsync(files[1], Demo, null, Cancel)).Digest.ShouldBe(published.Digest);
        test.Requests.Lines.ShouldNotContain(l => l.StartsWith("PUT", StringComparison.Ordinal) && l.Contains("sha256", StringComparison.Ordinal));
        File.Delete(files[2]);
        (await Should.ThrowAsync<ModelPublishException>(() => test.Catalog.PublishAsync(files[0], Demo, null, Cancel))).Message.ShouldContain("random-00003-of-00003.gguf is missing");
    }

    /// <summary>The next version may make another file of it.</summary>
    [Fact]
    public async Task PublishAsync_FileOfOllamasEngine_IsTranslatedAnewEachTime()
    {
        using TestCatalog test = new(azurite.ConnectionString, withCache: true);
        using TempFolder folder = new();
        GgufGenerator.WriteOllamas(folder.File("ollamas.gguf"), new GgufSpec { Architecture = GgufArchitecture.Gemma3, Vocabulary = GgufVocabularyKind.SentencePiece });
        ModelView first = await test.Catalog.PublishAsync(folder.File("ollamas.gguf"), Demo, null, Cancel);
        ConcurrentQueue<PublishProgress> progress = [];

        ModelView second = await test.Catalog.PublishAsync(folder.File("ollamas.gguf"), Demo, new Direct(progress), Cancel);

        second.Digest.ShouldBe(first.Digest);
        progress.ShouldContain(p => p.Stage == PublishStage.Hashing);
    }

    /// <summary>Unlike <see cref="Progress{T}"/> it is told before the call returns.</summary>
    private sealed class Direct(ConcurrentQueue<PublishProgress> reports) : IProgress<PublishProgress>
    {
        public void Report(PublishProgress value) => reports.Enqueue(value);
    }
}
