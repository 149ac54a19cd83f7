using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Reads bodies up to the limit. Of a body over it a bounded part is read and thrown away before the answer:
/// a client that is still sending when its connection is reset never sees the 413.
/// </summary>
internal sealed class RequestBodyReader(IOptions<EdgeOptions> options, TimeProvider time)
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);
    private readonly EdgeOptions _options = options.Value;

    /// <param name="context">Of the request.</param>
    /// <param name="most">Bytes that are read; null: <see cref="EdgeOptions.MaxBodyBytes"/>.</param>
    /// <exception cref="BadHttpRequestException">The body is not framed as HTTP says.</exception>
    public async ValueTask<Result<RequestBody>> ReadAsync(HttpContext context, int? most = null)
    {
        long limit = most ?? _options.MaxBodyBytes;
        if (await RefusalAsync(context, limit) is { } refused)
            return refused;

        RequestBody body = new((int)limit);
        bool isWhole = false;
        try
        {
            isWhole = await FillAsync(body, context.Request.BodyReader, limit, context.RequestAborted);
            return isWhole ? body : await RefuseAsync(context, limit);
        }
        finally
        {
            if (!isWhole)
                body.Dispose();
        }
    }

    /// <summary>Lets a body come that is read elsewhere, without ever being in memory whole. What is wrong with it; null: nothing that can be known before.</summary>
    /// <remarks>One that does not say its length Kestrel counts: reading beyond <see cref="EdgeOptions.MaxBodyBytes"/> throws, and is a 413 too.</remarks>
    public async ValueTask<ApiError?> AdmitAsync(HttpContext context)
    {
        if (await RefusalAsync(context, _options.MaxBodyBytes) is { } refused)
            return refused;
        LimitKestrel(context, _options.MaxBodyBytes);
        return null;
    }

    private static void LimitKestrel(HttpContext context, long? limit)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } kestrel)
            kestrel.MaxRequestBodySize = limit;
    }

    private async ValueTask<ApiError?> RefusalAsync(HttpContext context, long limit)
    {
        if (context.Request.Headers.ContentEncoding is [{ Length: > 0 } encoding, ..] && encoding != "identity")
            return new ApiError(StatusCodes.Status415UnsupportedMediaType, $"content encoding '{encoding}' is not supported by this server: send the body uncompressed");
        // The limit is counted here: Kestrel's own answers by closing the connection.
        LimitKestrel(context, null);
        return context.Request.ContentLength > limit ? await RefuseAsync(context, limit) : null;
    }

    private static async ValueTask<bool> FillAsync(RequestBody body, PipeReader reader, long limit, CancellationToken cancellationToken)
    {
        for (long length = 0; ;)
        {
            ReadResult read = await reader.ReadAsync(cancellationToken);
            length += read.Buffer.Length;
            if (length > limit)
            {
                reader.AdvanceTo(read.Buffer.End);
                return false;
            }
            body.Append(read.Buffer);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return true;
        }
    }

    private async ValueTask<ApiError> RefuseAsync(HttpContext context, long limit)
    {
        // Who asks first has not begun to send, and learns the answer without sending.
        bool isWaiting = context.Request.Headers.Expect.Count > 0 && context.Request.ContentLength is not null;
        if (isWaiting || !await DrainAsync(context))
            context.Response.Headers.Connection = "close";
        return new(StatusCodes.Status413PayloadTooLarge, $"request body is larger than {limit} bytes");
    }

    /// <summary>Whether the body came to its end within what is thrown away.</summary>
    private async ValueTask<bool> DrainAsync(HttpContext context)
    {
        PipeReader reader = context.Request.BodyReader;
        using CancellationTokenSource limit = new(DrainTime, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            for (long drained = 0; drained <= _options.MaxDrainBytes;)
            {
                ReadResult read = await reader.ReadAsync(either.Token);
                drained += read.Buffer.Length;
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return true;
            }
            return false;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return false;
        }
    }
}
