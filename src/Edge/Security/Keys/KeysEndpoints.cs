using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary><c>/keys</c>: make, list, show, change, rotate, revoke. A key is shown once, by what made it.</summary>
internal sealed class KeysEndpoints(RequestBodyReader bodies, KeyStore store, KeyCache cache, TimeProvider time) : IEndpointGroup
{
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromHours(24);
    private const long LongestGrace = 30 * 24 * 60 * 60;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission manage = new(Permissions.ManageKeys);
        endpoints.MapPost("/keys", CreateAsync).WithMetadata(manage)
            .Describe(Said("Makes a key, and shows it this once.") with { Body = "KeyRequest", Status = StatusCodes.Status201Created, AnswerType = KeysJson.Default.KeyAnswer });
        endpoints.MapGet("/keys", ListAsync).WithMetadata(manage)
            .Describe(Said("All keys that are not revoked, without their secrets.") with { AnswerType = KeysJson.Default.KeysAnswer });
        endpoints.MapGet("/keys/{id}", ShowAsync).WithMetadata(manage)
            .Describe(Said("A key, without its secret.") with { AnswerType = KeysJson.Default.KeyAnswer });
        endpoints.MapPatch("/keys/{id}", ChangeAsync).WithMetadata(manage)
            .Describe(Said("Changes a key's name, models, limits or expiry, with If-Match only if it is still what was read: within 5 s at every edge.") with { Body = "KeyChange", AnswerType = KeysJson.Default.KeyAnswer });
        endpoints.MapPost("/keys/{id}/rotate", RotateAsync).WithMetadata(manage)
            .Describe(Said("Gives a key a new secret, with If-Match only if the key is still what was read; the old one stays good for a grace time.") with { Body = "KeyRotation", AnswerType = KeysJson.Default.KeyAnswer });
        endpoints.MapDelete("/keys/{id}", RevokeAsync).WithMetadata(manage)
            .Describe(Said("Revokes a key: within 5 s nobody is let in with it.") with { Status = StatusCodes.Status204NoContent });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Own, summary);

    private static string Id(HttpContext context) => (string)context.GetRouteValue("id")!;

    private async Task CreateAsync(HttpContext context)
    {
        Principal caller = RequestInfo.CallerOf(context);
        DateTimeOffset now = time.GetUtcNow();
        if ((await JsonRequest.ReadAsync(context, bodies, fields => KeyRequest.Read(fields, caller.Tenant, now))).Failed(out ApiError? error, out KeyRequest? request))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        ApiKey key = ApiKey.Create();
        KeyRecord record = new()
        {
            Id = key.Id,
            Name = request.Name,
            Tenant = request.Tenant,
            Role = request.Role,
            Models = request.Models,
            Limits = request.Limits,
            CreatedAt = now,
            CreatedBy = caller.Name,
            ExpiresAt = request.ExpiresAt,
            Secrets = [KeySecret.Of(key)],
        };
        await store.CreateAsync(record, CancellationToken.None);
        RequestInfo.Of(context).Subject = key.Id;
        await ShowOnceAsync(context, record, key, StatusCodes.Status201Created);
    }

    private async Task ListAsync(HttpContext context)
    {
        IReadOnlyDictionary<string, DateTimeOffset> used = await store.ListUsedAsync(context.RequestAborted);
        IReadOnlyList<KeyRecord> records = await store.ListAsync(context.RequestAborted);
        DateTimeOffset now = time.GetUtcNow();
        KeysAnswer answer = new([.. records.OrderBy(record => record.CreatedAt).Select(record => KeyAnswer.Of(record, now) with { LastUsedAt = LastUse(used, record) })]);
        await JsonAnswer.WriteAsync(context, answer, KeysJson.Default.KeysAnswer);
    }

    private async Task ShowAsync(HttpContext context)
    {
        if (await store.FindAsync(Id(context), known: null, context.RequestAborted) is { } found)
            await ShowAsync(context, found);
        else
            await NotFoundAsync(context);
    }

    private async Task ShowAsync(HttpContext context, StoredKey key)
    {
        IReadOnlyDictionary<string, DateTimeOffset> used = await store.ListUsedAsync(context.RequestAborted);
        context.Response.Headers.ETag = Tag(key);
        await JsonAnswer.WriteAsync(context, KeyAnswer.Of(key.Record, time.GetUtcNow()) with { LastUsedAt = LastUse(used, key.Record) }, KeysJson.Default.KeyAnswer);
    }

    private async Task ChangeAsync(HttpContext context)
    {
        DateTimeOffset now = time.GetUtcNow();
        if ((await JsonRequest.ReadAsync(context, bodies, fields => KeyChange.Read(fields, now))).Failed(out ApiError? error, out KeyChange? change))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        if (await ReplaceAsync(context, change.Over) is { } stored)
            await ShowAsync(context, stored);
    }

    private async Task RotateAsync(HttpContext context)
    {
        if ((await ReadGraceAsync(context)).Failed(out ApiError? error, out Grace? grace))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        ApiKey? key = null;
        StoredKey? stored = await ReplaceAsync(context, record => record.Rotate(key = ApiKey.Create(record.Id), grace.Time, time.GetUtcNow()));
        if (stored is not null)
            await ShowOnceAsync(context, stored.Record, key!, StatusCodes.Status200OK);
    }

    /// <summary>The key as it is then, whose tag the answer has; null: it has been answered why not.</summary>
    private async Task<StoredKey?> ReplaceAsync(HttpContext context, Func<KeyRecord, Result<KeyRecord>> change)
    {
        RequestInfo.Of(context).Subject = Id(context);
        while (await store.FindAsync(Id(context), known: null, context.RequestAborted) is { } found)
        {
            Result<KeyRecord> result = IsMeant(context, found)
                ? change(found.Record)
                : new ApiError(StatusCodes.Status412PreconditionFailed, "the key was changed since it was read; read it again");
            if (result.Failed(out ApiError? error, out KeyRecord? changed))
            {
                await ErrorAnswer.WriteAsync(context, error);
                return null;
            }
            // Somebody else may have changed or revoked it just now.
            if (await store.ReplaceAsync(found, changed, CancellationToken.None) is not { } stored)
                continue;
            cache.Forget(changed.Id);
            context.Response.Headers.ETag = Tag(stored);
            return stored;
        }
        await NotFoundAsync(context);
        return null;
    }

    private async Task RevokeAsync(HttpContext context)
    {
        RequestInfo.Of(context).Subject = Id(context);
        if (!await store.DeleteAsync(Id(context), CancellationToken.None))
        {
            await NotFoundAsync(context);
            return;
        }
        cache.Forget(Id(context));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>A body may be left out.</summary>
    private async Task<Result<Grace>> ReadGraceAsync(HttpContext context)
    {
        if (context.Request.ContentLength is 0 or null && !context.Request.Headers.ContainsKey("Transfer-Encoding"))
            return new Grace(DefaultGrace);
        return await JsonRequest.ReadAsync<Grace>(context, bodies, fields =>
        {
            fields.Only("grace_seconds");
            long? seconds = fields.Integer("grace_seconds", 0, LongestGrace);
            return fields.Errors.First is { } wrong ? wrong : new Grace(seconds is { } given ? TimeSpan.FromSeconds(given) : DefaultGrace);
        });
    }

    private static string Tag(StoredKey key) => key.ETag.ToString("H");

    private static bool IsMeant(HttpContext context, StoredKey key)
    {
        StringValues asked = context.Request.Headers.IfMatch;
        return asked.Count == 0 || asked.SelectMany(tags => tags!.Split(',', StringSplitOptions.TrimEntries)).Any(tag => tag == "*" || tag == Tag(key));
    }

    private Task ShowOnceAsync(HttpContext context, KeyRecord record, ApiKey key, int status)
    {
        context.Response.Headers.CacheControl = "no-store";
        return JsonAnswer.WriteAsync(context, KeyAnswer.Of(record, time.GetUtcNow()) with { Key = key.Reveal() }, KeysJson.Default.KeyAnswer, status);
    }

    private static DateTime? LastUse(IReadOnlyDictionary<string, DateTimeOffset> used, KeyRecord record) =>
        used.TryGetValue(record.Id, out DateTimeOffset at) ? at.UtcDateTime : null;

    private static Task NotFoundAsync(HttpContext context) =>
        ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status404NotFound, "no such key"));

    private sealed record Grace(TimeSpan Time);
}
