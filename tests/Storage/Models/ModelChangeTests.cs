using System.IO.Pipelines;
using System.Security.Cryptography;
using Azure.Storage.Blobs;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Models;

public sealed class ModelChangeTests(AzuriteFixture azurite)
{
    private static readonly ModelName Demo = ModelName.Parse("demo");
    private static readonly ModelName Other = ModelName.Parse("other");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CopyAsync_Model_StandsForTheSame()
    {
        using TestCatalog test = await PublishedAsync();

        (await test.Catalog.CopyAsync(Demo, Other, Cancel)).ShouldBeTrue();

        ModelView copy = (await test.Catalog.FindAsync(Other, Cancel))!;
        copy.Digest.ShouldBe((await test.Catalog.FindAsync(Demo, Cancel))!.Digest);
    }

    [Fact]
    public async Task Changes_UnknownModel_SayThatThereIsNone()
    {
        using TestCatalog test = await PublishedAsync();

        (await test.Catalog.CopyAsync(Other, Demo, Cancel)).ShouldBeFalse();
        (await test.Catalog.DeleteAsync(Other, Cancel)).ShouldBeFalse();
        (await test.Catalog.DeriveAsync(Other, Demo, Modelfile.None, Cancel)).ShouldBeFalse();
        (await test.Catalog.CreateAsync($"sha256:{new string('0', 64)}", Other, Modelfile.None, Cancel)).ShouldBeFalse();
        (await test.Catalog.ListAsync(Cancel)).ShouldHaveSingleItem();
    }

    /// <summary>What no name stands for may be collected at any moment, also in the last before one does: then there is no model, and whoever makes it is told what is missing.</summary>
    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    public async Task CreateAsync_ContentIsCollectedMeanwhile_SaysThatItIsNotThere(string before)
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        using TestCatalog test = new(relay.Through(azurite.ConnectionString));
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        string weights = (await test.Catalog.FindAsync(Demo, Cancel))!.Weights;
        await test.Catalog.DeleteAsync(Demo, Cancel);

        Task collected = relay.BeforeAsync($"{before} /{test.Container.AccountName}/{test.Container.Name}/{ModelPaths.Blob(weights)}", async () =>
        {
            BlobContainerClient direct = new BlobServiceClient(azurite.ConnectionString).GetBlobContainerClient(test.Container.Name);
            await direct.DeleteBlobAsync(ModelPaths.Blob(weights), cancellationToken: Cancel);
        });
        (await test.Catalog.CreateAsync(weights, Other, Modelfile.None, Cancel)).ShouldBeFalse();

        await collected;
        (await test.Catalog.ListNowAsync(Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task DeleteAsync_NameInAnotherCase_TakesItAwayAtOnce()
    {
        using TestCatalog test = await PublishedAsync();

        (await test.Catalog.DeleteAsync(ModelName.Parse("DEMO"), Cancel)).ShouldBeTrue();

        (await test.Catalog.FindAsync(Demo, Cancel)).ShouldBeNull();
    }

    /// <summary>Storage's client repeats the deletion, and finds nothing: whoever deletes a model would be told that there is none, and see it listed.</summary>
    [Fact]
    public async Task DeleteAsync_AnswerIsLost_WasThereAndIsListedNoMore()
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        using TestCatalog test = new(relay.Through(azurite.ConnectionString));
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);

        Task lost = relay.LoseAsync($"DELETE /{test.Container.AccountName}/{test.Container.Name}/{ModelPaths.Manifest(Demo)}");
        bool wasThere = await test.Catalog.DeleteAsync(Demo, Cancel);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        wasThere.ShouldBeTrue();
        (await test.Catalog.ListAsync(Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task DeleteAsync_AnotherEdgeHasDeletedIt_IsListedNoMore()
    {
        using TestCatalog test = await PublishedAsync();
        await test.Container.DeleteBlobAsync(ModelPaths.Manifest(Demo), cancellationToken: Cancel);

        (await test.Catalog.DeleteAsync(Demo, Cancel)).ShouldBeFalse();

        (await test.Catalog.ListAsync(Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task DeleteAsync_CannotBeReadAgain_IsDoneAndReadWhenSomebodyAsks()
    {
        using TestCatalog test = await PublishedAsync();

        test.Requests.FailLists = true;
        (await test.Catalog.DeleteAsync(Demo, Cancel)).ShouldBeTrue();
        test.Requests.FailLists = false;
        test.Requests.Clear();
        await test.Catalog.FindAsync(Demo, Cancel);

        await test.Requests.NextListAsync(Cancel);
    }

    [Fact]
    public async Task DeriveAsync_OverADerivedModel_KeepsWhatIsNotSaidAnew()
    {
        using TestCatalog test = await PublishedAsync();
        ModelName third = ModelName.Parse("third");
        Modelfile first = new() { Parent = "demo", System = "Be brief.", Parameters = new() { Temperature = 0.5f, TopK = 3, Stop = ["."] } };
        Modelfile second = new() { Parent = "other", Template = "{{ messages[0].content }}", Parameters = new() { Temperature = 0 } };

        await test.Catalog.DeriveAsync(Demo, Other, first, Cancel);
        await test.Catalog.DeriveAsync(Other, third, second, Cancel);

        ModelView demo = (await test.Catalog.FindAsync(Demo, Cancel))!;
        ModelView view = (await test.Catalog.FindAsync(third, Cancel))!;
        view.Weights.ShouldBe(demo.Weights);
        view.Template.ShouldBe("{{ messages[0].content }}");
        view.Modelfile.System.ShouldBe("Be brief.");
        view.Modelfile.Parent.ShouldBe("other");
        (view.Modelfile.Parameters with { Stop = null }).ShouldBe(new RequestedOptions { Temperature = 0, TopK = 3 });
        view.Modelfile.Parameters.Stop.ShouldBe(["."]);
        demo.Modelfile.ShouldBe(Modelfile.None);
    }

    [Fact]
    public async Task UploadAsync_ThenCreate_IsTheModelOfTheFile()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        ModelBlobs blobs = new(test.Container);
        await test.Container.CreateIfNotExistsAsync(cancellationToken: Cancel);
        byte[] file = await File.ReadAllBytesAsync(TestCatalog.DemoPath, Cancel);
        string digest = ModelDigest.Of(file);

        (await blobs.FindAsync(digest, Cancel)).ShouldBeNull();
        // Twice at once: whoever is second finds it done.
        string?[] answers = await Task.WhenAll(
            blobs.UploadAsync(digest, PipeReader.Create(new MemoryStream(file)), Cancel),
            blobs.UploadAsync(digest, PipeReader.Create(new MemoryStream(file)), Cancel));

        answers.ShouldBe([null, null]);
        (await blobs.FindAsync(digest, Cancel)).ShouldBe(file.Length);
        (await test.Catalog.CreateAsync(digest, Other, Modelfile.None, Cancel)).ShouldBeTrue();
        ModelView created = (await test.Catalog.FindAsync(Other, Cancel))!;
        ModelView published = await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        created.Weights.ShouldBe(published.Weights);
        created.Capabilities.ShouldBe(published.Capabilities);
        ModelChunks chunks = ModelChunks.Parse((await test.Container.GetBlobClient(ModelPaths.Chunks(digest)).DownloadContentAsync(Cancel)).Value.Content);
        chunks.Size.ShouldBe(file.Length);
        chunks.Chunks[0].ShouldBe(ModelDigest.Of(file.AsSpan(0, Math.Min(file.Length, chunks.ChunkSize))));
    }

    [Fact]
    public async Task OpenAsync_NamedWhileItIsRead_IsReadToItsEnd()
    {
        using TestCatalog test = await PublishedAsync();
        string digest = (await test.Catalog.FindAsync(Demo, Cancel))!.Weights;
        byte[] content = new byte[new FileInfo(TestCatalog.DemoPath).Length];
        await using Stream reading = await new ModelBlobs(test.Container).OpenAsync(digest, Cancel, bufferSize: content.Length / 2);
        await reading.ReadExactlyAsync(content.AsMemory(0, 1000), Cancel);

        (await test.Catalog.CreateAsync(digest, Other, Modelfile.None, Cancel)).ShouldBeTrue();
        await reading.ReadExactlyAsync(content.AsMemory(1000), Cancel);

        ModelDigest.Of(content).ShouldBe(digest);
        (await reading.ReadAsync(new byte[1], Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task UploadAsync_OtherContent_NeverBecomesVisible()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        ModelBlobs blobs = new(test.Container);
        await test.Container.CreateIfNotExistsAsync(cancellationToken: Cancel);
        byte[] content = RandomNumberGenerator.GetBytes(1000);
        string wrong = ModelDigest.Of([1, 2, 3]);

        (await blobs.UploadAsync(wrong, PipeReader.Create(new MemoryStream(content)), Cancel)).ShouldBe(ModelDigest.Of(content));

        (await blobs.FindAsync(wrong, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task CreateAsync_NoGguf_SaysSo()
    {
        using TestCatalog test = new(azurite.ConnectionString);
        ModelBlobs blobs = new(test.Container);
        await test.Container.CreateIfNotExistsAsync(cancellationToken: Cancel);
        string digest = ModelDigest.Of("no model"u8);
        await blobs.UploadAsync(digest, PipeReader.Create(new MemoryStream("no model"u8.ToArray())), Cancel);

        ModelPublishException error = await Should.ThrowAsync<ModelPublishException>(test.Catalog.CreateAsync(digest, Other, Modelfile.None, Cancel));

        error.Message.ShouldStartWith($"{digest} cannot be made a model: ");
    }

    private async Task<TestCatalog> PublishedAsync()
    {
        TestCatalog test = new(azurite.ConnectionString);
        await test.Catalog.PublishAsync(TestCatalog.DemoPath, Demo, null, Cancel);
        return test;
    }
}
