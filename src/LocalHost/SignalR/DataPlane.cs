using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>
/// The part of the service's REST data plane, version 2022-06-01, that this system uses, with its paths and status codes
/// (https://learn.microsoft.com/azure/azure-signalr/swagger/signalr-data-plane-rest-v20220601).
/// </summary>
internal sealed class DataPlane(SurfaceHubs hubs, SurfaceDelivery delivery, SignalRFaults faults, ListenOnlyProtocol protocol)
{
    private const int MaxMessageBytes = 1024 * 1024;
    private const string Hub = "/api/hubs/{hub:regex(^[A-Za-z][A-Za-z0-9_]{{0,127}}$)}";

    // Positions in "/api/hubs/{hub}/users/{user}/groups/{group}" and "/api/hubs/{hub}/groups/{group}", cut at the slashes.
    private const int UserSegment = 5;
    private const int GroupSegment = 5;
    private const int GroupOfUserSegment = 7;

    public static void Map(IEndpointRouteBuilder routes)
    {
        DataPlane plane = routes.ServiceProvider.GetRequiredService<DataPlane>();
        RouteGroupBuilder api = routes.MapGroup(Hub);
        api.RequireAuthorization(SurfaceAuthentication.Scheme);
        api.MapPost("/:send", context => plane.SendAsync(context, new(DestinationKind.All, "")));
        api.MapPost("/users/{user}/:send", context => plane.SendAsync(context, new(DestinationKind.User, Segment(context, UserSegment))));
        api.MapPost("/groups/{group}/:send", context => plane.SendAsync(context, new(DestinationKind.Group, Segment(context, GroupSegment))));
        api.MapPost("/users/{user}/:closeConnections", plane.CloseConnections);
        api.MapMethods("/users/{user}", [HttpMethods.Head], plane.CheckUser);
        api.MapMethods("/users/{user}/groups/{group}", [HttpMethods.Head], plane.CheckGroup);
        api.MapPut("/users/{user}/groups/{group}", plane.AddToGroup);
        api.MapDelete("/users/{user}/groups/{group}", plane.RemoveFromGroup);
        routes.MapMethods("/api/health", [HttpMethods.Get, HttpMethods.Head], static _ => Task.CompletedTask);
    }

    private async Task SendAsync(HttpContext context, Destination to)
    {
        FaultPlan plan = faults.Next();
        if (plan.RetryAfter is { } after)
        {
            context.Response.Headers.RetryAfter = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }
        (int status, SurfaceMessage? message) = await ReadMessageAsync(context);
        if (message is not null)
            delivery.Deliver(HubOf(context), to, message, plan);
        context.Response.StatusCode = status;
    }

    private async Task<(int Status, SurfaceMessage? Message)> ReadMessageAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxMessageBytes)
            return (StatusCodes.Status413PayloadTooLarge, null);
        PipeReader reader = context.Request.BodyReader;
        ReadResult read = await reader.ReadAtLeastAsync(MaxMessageBytes + 1, context.RequestAborted);
        try
        {
            return read.Buffer.Length > MaxMessageBytes
                ? (StatusCodes.Status413PayloadTooLarge, null)
                : (StatusCodes.Status202Accepted, Parse(read.Buffer));
        }
        catch (JsonException)
        {
            return (StatusCodes.Status400BadRequest, null);
        }
        finally
        {
            reader.AdvanceTo(read.Buffer.End);
        }
    }

    /// <exception cref="JsonException">It is no message.</exception>
    private SurfaceMessage Parse(ReadOnlySequence<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("target", out JsonElement target) || target.ValueKind != JsonValueKind.String)
            throw new JsonException("A message names its target.");
        object?[] arguments = [];
        if (root.TryGetProperty("arguments", out JsonElement given) && given.ValueKind != JsonValueKind.Null)
        {
            if (given.ValueKind != JsonValueKind.Array)
                throw new JsonException("The arguments are an array.");
            arguments = [.. given.EnumerateArray()];
        }
        // Serialized here, while the document lives, once for all receivers.
        ReadOnlyMemory<byte> bytes = protocol.GetMessageBytes(new InvocationMessage(target.GetString()!, arguments));
        return new(new SerializedHubMessage([new SerializedMessage(protocol.Name, bytes)]), bytes.Length);
    }

    private Task CloseConnections(HttpContext context)
    {
        foreach (SurfaceConnection connection in HubOf(context).Find(new(DestinationKind.User, Segment(context, UserSegment))))
            connection.Abort();
        return Answer(context, StatusCodes.Status204NoContent);
    }

    private Task CheckUser(HttpContext context) =>
        AnswerExists(context, HubOf(context).Find(new(DestinationKind.User, Segment(context, UserSegment))).Count > 0);

    private Task CheckGroup(HttpContext context) =>
        AnswerExists(context, HubOf(context).IsInGroup(Segment(context, UserSegment), Segment(context, GroupOfUserSegment)));

    private Task AddToGroup(HttpContext context)
    {
        HubOf(context).AddToGroup(Segment(context, UserSegment), Segment(context, GroupOfUserSegment));
        return Answer(context, StatusCodes.Status200OK);
    }

    private Task RemoveFromGroup(HttpContext context)
    {
        HubOf(context).RemoveFromGroup(Segment(context, UserSegment), Segment(context, GroupOfUserSegment));
        return Answer(context, StatusCodes.Status204NoContent);
    }

    private SurfaceHub HubOf(HttpContext context) => hubs[(string)context.GetRouteValue("hub")!];

    /// <summary>From the raw path: routing leaves an escaped slash escaped, and a name may hold one.</summary>
    private static string Segment(HttpContext context, int index) =>
        Uri.UnescapeDataString(SurfaceAuthentication.RawPath(context).Split('/')[index]);

    private static Task AnswerExists(HttpContext context, bool exists) =>
        Answer(context, exists ? StatusCodes.Status200OK : StatusCodes.Status404NotFound);

    private static Task Answer(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
