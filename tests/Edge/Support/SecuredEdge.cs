using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Security;
using OllamaMax.Edge.Security.Keys;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Tenants;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>An edge that asks for keys, with its keys, limits and audit log in Azurite. All have one admin's key.</summary>
internal static class SecuredEdge
{
    public static readonly string Admin = ApiKey.Create().Reveal();

    public static Task<EdgeServer> StartAsync(AzuriteFixture azurite, Action<EdgeOptions>? configure = null, Action<IServiceCollection>? more = null) =>
        StartAsync(new StorageAccount(azurite.ConnectionString), configure, more);

    public static async Task<EdgeServer> StartAsync(StorageAccount account, Action<EdgeOptions>? configure = null, Action<IServiceCollection>? more = null)
    {
        await account.CreateContainersAsync(TestContext.Current.CancellationToken);
        return await EdgeServer.StartAsync(
            options =>
            {
                options.TrustLoopback = false;
                configure?.Invoke(options);
            },
            services =>
            {
                services.AddSingleton(account).AddSingleton<EdgeIdentity>().AddSingleton<StoragePatience>().AddSecurity();
                services.AddOptions<TenantOptions>();
                services.Configure<KeyOptions>(options => options.AdminKey = Admin);
                var inner = (IJobStarter)services.Last(service => service.ServiceType == typeof(IJobStarter)).ImplementationInstance!;
                services.AddSingleton<IJobStarter>(provider => new MeteredStarter(inner, provider.GetRequiredService<UsageMeter>()));
                more?.Invoke(services);
            });
    }

    public static Task<HttpResponseMessage> GetAsync(this EdgeServer edge, string path, string? key) => edge.SendAsync(HttpMethod.Get, path, null, Headers(key));

    public static Task<HttpResponseMessage> DeleteAsync(this EdgeServer edge, string path, string? key) => edge.SendAsync(HttpMethod.Delete, path, null, Headers(key));

    public static Task<HttpResponseMessage> PostAsync(this EdgeServer edge, string path, string? key, object body) =>
        edge.PostAsync(path, JsonSerializer.Serialize(body), Headers(key));

    /// <summary>Has the admin make a key; its id, and the key.</summary>
    public static async Task<(string Id, string Key)> CreateKeyAsync(this EdgeServer edge, object request)
    {
        using HttpResponseMessage response = await edge.PostAsync("/keys", Admin, request);
        JsonElement answer = JsonElement.Parse(await response.TextAsync());
        response.StatusCode.ShouldBe(HttpStatusCode.Created, answer.ToString());
        return (answer.GetProperty("id").GetString()!, answer.GetProperty("key").GetString()!);
    }

    public static async Task<HttpStatusCode> StatusAsync(this EdgeServer edge, string path, string? key)
    {
        using HttpResponseMessage response = await edge.GetAsync(path, key);
        return response.StatusCode;
    }

    public static async Task<JsonElement> JsonAsync(this EdgeServer edge, string path, string key)
    {
        using HttpResponseMessage response = await edge.GetAsync(path, key);
        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    private static (string, string)[] Headers(string? key) => key is null ? [] : [("Authorization", $"Bearer {key}")];
}
