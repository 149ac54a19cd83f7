using System.Text;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Models;

public sealed class ModelCatalogTests(AzuriteFixture azurite)
{
    private static readonly ModelName Demo = ModelName.Parse("demo");
    private static readonly ModelName Other = ModelName.Parse("other");
    private static readonly ModelName Unreadable = ModelName.Parse("unreadable");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListAsync_NothingEverPublished_IsEmpty()
    {
        using TestCatalog test = new(azurite.ConnectionString);

        (await test.Catalog.ListAsync(Cancel)).ShouldBeEmpty();
        (await test.Catalog.FindAsync(Demo, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task FindAsync_WithinTenSeconds_AsksStorageNothing()
    {
        using TestCatalog test = await PublishedAsync();

        for (int i = 0; i < 100; i++)
        {
            test.Time.Advance(TimeSpan.FromMilliseconds(99));
            (await test.Catalog.FindAsync(Demo, Cancel)).ShouldNotBeNull();
            (await test.Catalog.ListAsync(Cancel)).ShouldHaveSingleItem();
        }

        test.Requests.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task FindAsync_AfterTenSeconds_AnswersAtOnceAndRefreshesBeside()
    {
        using TestCatalog test = await PublishedAsync();
        ModelView first = (await test.Catalog.FindAsync(Demo, Cancel))!;
        await PublishByAnotherEdgeAsync(test, Other);
        test.Time.Advance(TimeSpan.FromSeconds(11));

        (await test.Catalog.FindAsync(Demo, Cancel)).ShouldBeSameAs(first);

        await test.Requests.NextListAsync(Cancel);
        (await test.Catalog.FindAsync(Other, Cancel)).ShouldNotBeNull();
        test.Requests.Lists.ShouldBe(1);
        test.Requests.Lines.Count(l => l.Contains("manifests/registry", StringComparison.Ordinal) && l.StartsWith("GET", StringComparison.Ordinal))
            .ShouldBe(1, "only the manifest that is new is read");
    }

    [Fact]
    public async Task ListNowAsync_JustPublishedByAnotherEdge_HasIt()
    {
        using TestCatalog test = await PublishedAsync();
        await PublishByAnotherEdgeAsync(test, Other);

        (await test.Catalog.ListAsync(Cancel)).Count.ShouldBe(1);
        (await test.Catalog.ListNowAsync(Cancel)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task ListAsync_AfterAMinute_WaitsForTheRefresh()
    {
        using TestCatalog test = await PublishedAsync();
        await PublishByAnotherEdgeAsync(test, Other);
        test.Time.Advance(TimeSpan.FromSeconds(61));

        (await test.Catalog.ListAsync(Cancel)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task FindAsync_UnknownName_LooksOnceASecondAtMost()
    {
        using TestCatalog test = await PublishedAsync();

        for (int i = 0; i < 50; i++)
            (await test.Catalog.FindAsync(Other, Cancel)).ShouldBeNull();
        test.Requests.Lists.ShouldBe(0);

        await PublishByAnotherEdgeAsync(test, Other);
        test.Time.Advance(TimeSpan.FromSeconds(1));
        (await test.Catalog.FindAsync(Other, Cancel)).ShouldNotBeNull();
        for (int i = 0; i < 50; i++)
            (await test.Catalog.FindAsync(ModelName.Parse("third"), Cancel)).ShouldBeNull();
        test.Requests.Lists.ShouldBe(1);
    }

    [Fact]
    public async Task FindAsync_ManyAtOnceAtFirst_ShareOneList()
    {
        using TestCatalog test = await PublishedAsync();
        using ModelCatalog fresh = AnotherEdge(test);

        ModelView?[] found = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => fresh.FindAsync(Demo, Cancel).AsTask(), Cancel)));

        found.ShouldAllBe(m => m != null);
        test.Requests.Lists.ShouldBe(1);
    }

    [Fact]
    public async Task FindAsync_WaiterLeaves_RefreshGoesOnForTheOthers()
    {
        using TestCatalog test = await PublishedAsync();
        using ModelCatalog fresh = AnotherEdge(test);
        using CancellationTokenSource leaves = new();

        Task<ModelView?> leaving = fresh.FindAsync(Demo, leaves.Token).AsTask();
        Task<ModelView?> staying = fresh.FindAsync(Demo, Cancel).AsTask();
        await leaves.CancelAsync();

        (await staying).ShouldNotBeNull();
        await Task.WhenAny(leaving);
        leaving.IsFaulted.ShouldBeFalse();
    }

    [Fact]
    public async Task ListAsync_ModelDeleted_IsGone()
    {
        using TestCatalog test = await PublishedAsync();
        await test.Container.DeleteBlobAsync(ModelPaths.Manifest(Demo), cancellationToken: Cancel);
        test.Time.Advance(TimeSpan.FromSeconds(61));

        (await test.Catalog.ListAsync(Cancel)).ShouldBeEmpty();
        (await test.Catalog.FindAsync(Demo, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task ListAsync_BrokenEntries_AreLeftOutAndNotReadAgain()
    {
        using TestCatalog test = await PublishedAsync();
        await PutAsync(test, "manifests/registry.ollama.ai/library/broken/latest", "{");
        await PutAsync(test, "manifests/registry.ollama.ai/library/orphan/latest", $$"""
            {"schemaVersion":2,"config":{"mediaType":"c","digest":"{{ModelDigest.Of("nothing"u8)}}","size":1},
            "layers":[{"mediaType":"{{ModelLayer.Model}}","digest":"{{ModelDigest.Of("nothing"u8)}}","size":1}]}
            """);
        await PutAsync(test, ModelPaths.Manifest(Unreadable), await UnreadableManifestAsync(test));
        await PutAsync(test, "manifests/stray file", "x");
        test.Time.Advance(TimeSpan.FromSeconds(61));
        (await test.Catalog.ListAsync(Cancel)).ShouldHaveSingleItem().Name.ShouldBe(Demo);
        test.Requests.Clear();
        test.Time.Advance(TimeSpan.FromSeconds(61));

        (await test.Catalog.ListAsync(Cancel)).ShouldHaveSingleItem();

        test.Requests.Lines.Count.ShouldBe(1);
    }

    [Fact]
    public async Task FindAsync_StorageGone_ServesTheSnapshotAMinuteAndThenSaysSo()
    {
        AzuriteProcess own = await AzuriteFixture.StartAsync(location: null, Cancel);
        using TestCatalog test = new(own.ConnectionString);
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        await own.DisposeAsync();

        test.Time.Advance(TimeSpan.FromSeconds(30));
        (await test.Catalog.FindAsync(Demo, Cancel)).ShouldNotBeNull();

        test.Time.Advance(TimeSpan.FromSeconds(31));
        CatalogException error = await Should.ThrowAsync<CatalogException>(async () => await test.Catalog.FindAsync(Demo, Cancel));
        error.InnerException.ShouldNotBeNull();
        await Should.ThrowAsync<CatalogException>(() => test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel));
    }

    /// <summary>As over a connection whose other end has gone without a word: new ones are answered.</summary>
    [Fact]
    public async Task FindAsync_StorageDoesNotAnswerOneRead_TheNextIsNotHeldByIt()
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        using TestCatalog test = new(relay.Through(azurite.ConnectionString));
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        test.Time.Advance(TimeSpan.FromSeconds(61));
        TaskCompletionSource asked = new(), answers = new();
        Task silent = relay.BeforeAsync($"GET /{test.Container.AccountName}/", () =>
        {
            asked.SetResult();
            return answers.Task;
        });
        try
        {
            Task<ModelView?> held = test.Catalog.FindAsync(Demo, Cancel).AsTask();
            await asked.Task.WaitAsync(Cancel);
            test.Time.Advance(TimeSpan.FromSeconds(20));

            await Should.ThrowAsync<CatalogException>(held);
            (await test.Catalog.FindAsync(Demo, Cancel)).ShouldNotBeNull();
        }
        finally
        {
            answers.SetResult();
            await silent;
        }
    }

    [Fact]
    public async Task DeleteAsync_ModelThatCannotBeRead_TakesItAwayInWhateverCase()
    {
        using TestCatalog test = await PublishedAsync();
        await PutAsync(test, ModelPaths.Manifest(Unreadable), await UnreadableManifestAsync(test));
        test.Time.Advance(TimeSpan.FromSeconds(1));

        (await test.Catalog.DeleteAsync(ModelName.Parse("UNREADABLE"), Cancel)).ShouldBeTrue();

        (await test.Container.GetBlobClient(ModelPaths.Manifest(Unreadable)).ExistsAsync(Cancel)).Value.ShouldBeFalse();
    }

    private async Task<TestCatalog> PublishedAsync()
    {
        TestCatalog test = new(azurite.ConnectionString);
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        test.Requests.Clear();
        return test;
    }

    private async Task PublishByAnotherEdgeAsync(TestCatalog test, ModelName name)
    {
        BlobContainerClient container = new(azurite.ConnectionString, test.Container.Name);
        using ModelCatalog other = new(container, TimeProvider.System, NullLogger<ModelCatalog>.Instance, null);
        await other.PublishAsync(TestCatalog.DemoPath, name, null, Cancel);
    }

    private static ModelCatalog AnotherEdge(TestCatalog test) =>
        new(test.Container, test.Time, NullLogger<ModelCatalog>.Instance, null);

    /// <summary>Of a model whose config lacks what nobody looks for: it is JSON, and of the right shape.</summary>
    private static async Task<string> UnreadableManifestAsync(TestCatalog test)
    {
        string config = """
            {"model_family":"llama","model_families":["llama"],"model_type":"1M","file_type":"F32","parameter_count":1,"context_length":1,"bos_token":"","eos_token":"","metadata":null}
            """;
        string digest = ModelDigest.Of(Encoding.UTF8.GetBytes(config));
        await PutAsync(test, ModelPaths.Blob(digest), config);
        return $$"""
            {"schemaVersion":2,"config":{"mediaType":"c","digest":"{{digest}}","size":1},
            "layers":[{"mediaType":"{{ModelLayer.Model}}","digest":"{{ModelDigest.Of("nothing"u8)}}","size":1}]}
            """;
    }

    private static async Task PutAsync(TestCatalog test, string blob, string content) =>
        await test.Container.GetBlobClient(blob).UploadAsync(BinaryData.FromString(content), Cancel);
}
