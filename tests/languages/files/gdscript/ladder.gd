class_name Ladder
extends Area2D

signal left(player)

const SPEED := 80.0

enum Side { FRONT, BACK }

## Lets the player climb while the key is held.
func climb(player: Player, delta: float) -> void:
	if Input.is_action_pressed("up"):
		player.position.y -= SPEED * delta
	elif Input.is_action_pressed("down"):
		player.position.y += SPEED * delta

func _on_body_exited(body: Node) -> void:
	emit_signal("left", body)
