using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Security.Tests;

/// <summary>One local host with <c>--require-keys</c> and no worker for the whole assembly, and a key of each role.</summary>
public sealed class KeyedSystemFixture : IAsyncLifetime
{
    private readonly WebApplication _source = LoopbackServer.Build();
    private LocalSystem? _system;

    /// <summary>What the system has for sources of models: a token of Hugging Face, and one for the host of <c>source.test/…</c>, which lets it have nothing and says what it was shown.</summary>
    public string[] SourceSecrets { get; } = ["hf_ofTheEnvironment0000", "token-of-the-settings-1111"];

    public LocalSystem System => _system!;

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromMinutes(2) };

    /// <summary>What the first start has said.</summary>
    public string Admin { get; private set; } = "";

    /// <summary>By role.</summary>
    public Dictionary<string, string> Keys { get; } = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _source.Run(context => Results.Json(new { error = $"not with {context.Request.Headers.Authorization}" }, statusCode: 403).ExecuteAsync(context));
        await _source.StartAsync(Cancellation);
        Uri source = new(_source.Urls.Single());
        _system = await LocalSystem.StartAsync(
            new()
            {
                Workers = 0,
                MoreArguments = ["--require-keys"],
                Environment = new Dictionary<string, string?>
                {
                    ["HF_TOKEN"] = SourceSecrets[0],
                    ["OllamaMax__Pull__Hosts__0"] = $"source.test={source}",
                    ["OllamaMax__Pull__Sources__Own__Host"] = source.Authority,
                    ["OllamaMax__Pull__Sources__Own__Token"] = SourceSecrets[1],
                },
            },
            Cancellation);
        Client.BaseAddress = _system.BaseAddress;
        Admin = _system.AdminKey;
        foreach (string role in Roles.Names)
            Keys[role] = (await CreateKeyAsync(new { name = role, role, tenant = "acme" })).Key;
    }

    /// <summary>Has the admin make a key.</summary>
    public async Task<(string Id, string Key)> CreateKeyAsync(object request)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, "/keys", Admin, JsonContent.Create(request));
        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return (answer.GetProperty("id").GetString()!, answer.GetProperty("key").GetString()!);
    }

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? key, HttpContent? content = null)
    {
        HttpRequestMessage request = new(method, path) { Content = content };
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    public async Task<int> StatusAsync(HttpMethod method, string path, string? key, HttpContent? content = null)
    {
        using HttpResponseMessage response = await SendAsync(method, path, key, content);
        return (int)response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_system is not null)
            await _system.DisposeAsync();
        await _source.DisposeAsync();
    }
}
