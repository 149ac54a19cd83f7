using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Http;

public sealed class RequestLimitTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Its client would take what there is for the whole answer.</summary>
    [Fact]
    public async Task Stream_LimitIsReached_IsCutAndNotEnded()
    {
        using CancellationTokenSource limit = new();
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services => services.AddSingleton<IStartupFilter>(new LimitedRequests(limit.Token)));
        edge.Jobs.Script = job => job.Accept().Say("x");

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", """{"model":"demo","messages":[{"role":"user","content":"hi"}]}""");
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancel));
        await lines.ReadLineAsync(Cancel);
        await limit.CancelAsync();

        await Should.ThrowAsync<IOException>(() => lines.ReadToEndAsync(Cancel));
    }
}
