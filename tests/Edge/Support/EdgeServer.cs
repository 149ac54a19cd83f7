using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Requests;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>The real edge on Kestrel, with scripted jobs behind it and time that the test moves.</summary>
internal sealed class EdgeServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private EdgeServer(WebApplication app, ScriptedStarter jobs, FixedModels models, MemoryArchive responses, WatchedTimeProvider time, LogLines logs)
    {
        _app = app;
        (Jobs, Models, Responses, Time, Logs) = (jobs, models, responses, time, logs);
        Client = new() { BaseAddress = new(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Client { get; }

    public ScriptedStarter Jobs { get; }

    public FixedModels Models { get; }

    public MemoryArchive Responses { get; }

    public WatchedTimeProvider Time { get; }

    public LogLines Logs { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<EdgeServer> StartAsync(Action<EdgeOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        LogLines logs = new();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        ScriptedStarter jobs = new();
        FixedModels models = new();
        MemoryArchive responses = new();
        WatchedTimeProvider time = new();
        builder.Services
            .AddSingleton<TimeProvider>(time)
            .AddSingleton<IJobStarter>(jobs)
            .AddSingleton<IModelSource>(models)
            .AddSingleton<IResponseArchive>(responses)
            .AddSingleton<IVocabularySource>(models)
            .AddSingleton<ILoadedModels>(models)
            .AddSingleton<IPromptRenderer>(models);
        services?.Invoke(builder.Services);
        builder.Services.AddEdge(options =>
        {
            options.TrustLoopback = true;
            configure?.Invoke(options);
        });
        WebApplication app = builder.Build();
        app.UseEdge();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(app, jobs, models, responses, time, logs);
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, new StringContent(json, Encoding.UTF8, "application/json"), headers);

    /// <summary>Answers as soon as the headers are there.</summary>
    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        HttpRequestMessage request = new(method, path) { Content = content };
        foreach ((string name, string value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
