using OllamaMax.TestKit;

namespace OllamaMax.Security.Tests;

public sealed class StartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WithoutKeysOnAnotherAddress_IsRefused()
    {
        await using LocalSystem system = LocalSystem.Launch(new() { Workers = 0, MoreArguments = ["--listen", "0.0.0.0"] });

        (await system.Exit).ShouldBe(1);

        system.Errors.Lines.ShouldHaveSingleItem().ShouldBe("error: --listen 0.0.0.0 lets others in: it needs --require-keys");
    }

    [Fact]
    public async Task Start_AgainWithAWorkerOnAnotherAddress_SaysNoSecondKeyAndTheFirstOneRunsAModel()
    {
        using TempFolder data = new();
        LocalSystemOptions options = new() { Workers = 0, Data = data.Path, MoreArguments = ["--require-keys"] };
        string key;
        await using (LocalSystem first = await LocalSystem.StartAsync(options, Cancellation))
            key = first.AdminKey;

        await using LocalSystem again = await LocalSystem.StartAsync(options with { Workers = 1, MoreArguments = ["--require-keys", "--listen", "0.0.0.0"] }, Cancellation);

        again.Output.Lines.ShouldAllBe(line => !line.Contains("omx_", StringComparison.Ordinal));
        using HttpClient client = new() { BaseAddress = again.BaseAddress };
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = new StringContent("""{"model":"demo","prompt":"x","stream":false}""") };
        request.Headers.Add("x-api-key", key);
        using HttpResponseMessage response = await client.SendAsync(request, Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync(Cancellation));
    }
}
