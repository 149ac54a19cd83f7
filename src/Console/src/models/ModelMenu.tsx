import { ActionIcon, Menu } from "@mantine/core";
import { IconDotsVertical } from "../ui/icons";
import { type CatalogueModel } from "../api/types";

interface ModelMenuProps {
  model: CatalogueModel;
  onCopy: () => void;
  onRemove: () => void;
}

export function ModelMenu({ model, onCopy, onRemove }: ModelMenuProps) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`What to do with ${model.name}`}>
          <IconDotsVertical size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={onCopy}>Give it another name</Menu.Item>
        <Menu.Item color="red" onClick={onRemove}>Remove</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
