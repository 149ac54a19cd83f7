namespace OllamaMax.LocalHost.SignalR;

/// <summary>Who is connected to one hub, and which users are in which groups. Membership outlives connections.</summary>
internal sealed class SurfaceHub
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SurfaceConnection> _connections = [];
    private readonly Dictionary<string, SurfaceConnection[]> _users = [];
    private readonly Dictionary<string, HashSet<string>> _groups = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(SurfaceConnection connection)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _connections.Add(connection.Id, connection);
            if (connection.User is { } user)
                _users[user] = [.. Users_NeedsLock(user), connection];
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }

    public void Remove(string connectionId)
    {
        lock (_lock)
        {
            if (!_connections.Remove(connectionId, out SurfaceConnection? connection) || connection.User is not { } user)
                return;
            SurfaceConnection[] left = [.. Users_NeedsLock(user).Where(other => other != connection)];
            if (left.Length > 0)
                _users[user] = left;
            else
                _users.Remove(user);
        }
    }

    /// <summary>The connections that a message to this destination reaches.</summary>
    public IReadOnlyCollection<SurfaceConnection> Find(Destination to)
    {
        lock (_lock)
        {
            return to.Kind switch
            {
                DestinationKind.User => Users_NeedsLock(to.Name),
                DestinationKind.Group => [.. _groups.GetValueOrDefault(to.Name, []).SelectMany(Users_NeedsLock)],
                _ => [.. _connections.Values],
            };
        }
    }

    public void AddToGroup(string user, string group)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue(group, out HashSet<string>? users))
                _groups[group] = users = [];
            users.Add(user);
        }
    }

    public void RemoveFromGroup(string user, string group)
    {
        lock (_lock)
        {
            if (_groups.TryGetValue(group, out HashSet<string>? users) && users.Remove(user) && users.Count == 0)
                _groups.Remove(group);
        }
    }

    public bool IsInGroup(string user, string group)
    {
        lock (_lock)
            return _groups.TryGetValue(group, out HashSet<string>? users) && users.Contains(user);
    }

    public async Task WaitForUserAsync(string user, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_users.ContainsKey(user))
                    return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    private SurfaceConnection[] Users_NeedsLock(string user) => _users.GetValueOrDefault(user, []);
}

internal enum DestinationKind
{
    All,
    Group,
    User,
}

/// <param name="Kind">Of whom it is.</param>
/// <param name="Name">User or group; empty for all.</param>
internal readonly record struct Destination(DestinationKind Kind, string Name);
